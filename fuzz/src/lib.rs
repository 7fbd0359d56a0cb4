//! What is fuzzed: each function takes any bytes, and panics where a promise is broken.
//!
//! `scripts/fuzz` drives them by libFuzzer; the test `fuzz` of the main workspace by mutations of the seeds, a fixed number
//! of times and always the same ones.

mod change_set;
mod event;
mod patch;
mod path;
mod redaction;
mod rules;

pub use change_set::change_set;
pub use event::event;
pub use patch::patch;
pub use path::path;
pub use redaction::redaction;
pub use rules::rules;
