//! What reading gives, for every kind of text, container and damage.

mod cases;
mod conformance;
mod containers;
mod damage;
mod discovery;
mod properties;
mod support;
