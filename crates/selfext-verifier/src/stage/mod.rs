//! Running stages on a candidate.

mod disk;
mod environment;
mod memory;
mod outcome;
mod run;
mod walls;
mod watch;
mod worktree;

pub use environment::StageEnvironment;
pub(crate) use run::Stages;
pub(crate) use walls::ReadPlaces;
