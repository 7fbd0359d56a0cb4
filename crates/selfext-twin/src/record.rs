//! The record of every exchange between a client and the twin.

mod chain;
mod exchange;
mod recorder;

pub use exchange::Exchange;
pub(crate) use recorder::{Entry, Recorder};
