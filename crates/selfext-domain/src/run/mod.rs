//! The state of a run: a pure fold over its events.

mod allowable;
mod fold;
mod phase;
#[cfg(test)]
mod tests;

pub use allowable::{Allowable, NotAllowable};
pub use fold::{FoldError, IllegalEvent, Run};
pub use phase::Phase;
