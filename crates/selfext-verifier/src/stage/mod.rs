//! Running stages on a candidate.

mod environment;
mod run;
mod walls;
mod worktree;

pub use environment::StageEnvironment;
pub(crate) use run::run_stages;
