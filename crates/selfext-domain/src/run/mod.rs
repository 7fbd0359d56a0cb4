//! The state of a run: a pure fold over its events.

mod fold;
mod phase;
#[cfg(test)]
mod tests;

pub use fold::{FoldError, IllegalEvent, Run};
pub use phase::Phase;
