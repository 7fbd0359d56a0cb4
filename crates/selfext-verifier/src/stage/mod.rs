//! Running stages on a candidate.

mod disk;
mod environment;
mod extent;
mod memory;
mod on_base;
mod outcome;
mod run;
mod walls;
mod watch;
mod worktree;

pub use environment::StageEnvironment;
pub(crate) use run::{Ground, Stages};
pub(crate) use walls::ReadPlaces;
