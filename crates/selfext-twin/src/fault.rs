//! Misbehaviour on demand.

mod gate;
mod knobs;
mod pattern;
mod rule;

pub use gate::Gate;
pub(crate) use knobs::{Knobs, Sight};
pub use rule::{Fault, FaultKind};
