//! What rules would do, before anybody relies on them: how many alerts a day ([`forecast()`]), what a change of rules changes
//! ([`diff()`]), which techniques of ATT&CK they are about ([`coverage()`]) and which attacks they see ([`detonations()`]).
//!
//! All of it is hunting: the alerts counted here are those that a hunt raises.
//!
//! **Left out on purpose.** Arguments and terminals are the binary's; this crate prints nothing.

mod alert;
mod coverage;
mod detonations;
mod diff;
mod forecast;
mod navigator;

pub use alert::{AlertLine, Instance};
pub use coverage::{Coverage, Tactic, Technique, coverage};
pub use detonations::{Detonation, Seen, detonations};
pub use diff::{Change, Difference, diff};
pub use forecast::{Forecast, RuleForecast, forecast};
pub use navigator::layer;
