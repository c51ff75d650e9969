//! The page of a hunt in a real browser: headless Chromium, asked over `WebDriver`.
//!
//! Without `chromedriver` and Chromium the tests say loudly that they are skipped; where `CI=true` they must run.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]
#![allow(clippy::print_stderr, reason = "what was skipped or measured is for whoever runs the test")]

mod driver;
mod page;
