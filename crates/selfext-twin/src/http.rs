//! HTTP: connections, faults, recording.

mod conditional;
mod connection;
mod exchange;
mod render;
mod serving;

pub use serving::Serving;
pub(crate) use serving::serve;
