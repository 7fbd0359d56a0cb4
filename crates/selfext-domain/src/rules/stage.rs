//! The rules of one stage of verification.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{OutputRule, VariablePattern};
use crate::RepoPath;

/// What a stage is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StageKind {
    /// It prepares what later stages need.
    Setup,
    /// It builds.
    Compile,
    /// It tests.
    Test,
    /// It sees whether the program starts.
    StartUp,
    /// Anything else.
    #[default]
    Check,
}

/// What happens where the machine lacks a wall around candidate code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// Nothing runs.
    Required,
    /// The stages run, and the missing walls are written into the evidence.
    #[default]
    BestEffort,
}

/// How much of the machine a stage may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageLimits {
    /// Seconds of processor time of one process.
    pub cpu_seconds: u64,
    /// Bytes of memory that one process may have for itself; of all together where a control group can say so.
    pub memory_bytes: u64,
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Bytes of all files that the run holds, looked at again and again. A candidate that takes more than any of its stages may is
    /// not checked out.
    pub disk_bytes: u64,
    /// Files that one process may have open.
    pub open_files: u64,
    /// Processes and threads, of the whole stage.
    pub processes: u64,
    /// Bytes of output, of which only a tail is kept.
    pub output_bytes: u64,
}

impl Default for StageLimits {
    fn default() -> Self {
        Self {
            cpu_seconds: 3_600,
            memory_bytes: 8 << 30,
            file_bytes: 4 << 30,
            disk_bytes: 20 << 30,
            open_files: 4_096,
            processes: 1_024,
            output_bytes: 256 << 20,
        }
    }
}

/// What makes a stage one that prepares dependencies: it runs on the base, before the candidate is there, and what it leaves is
/// kept for every later run whose lock files are the same.
///
/// A change of a lock file, or of what is kept, is a change of a protected path. Where an operator allowed it, the stage runs on
/// the candidate itself, and nothing of it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnBase {
    /// The files of the base whose contents decide what the stage makes; at least one.
    pub lock_files: Vec<RepoPath>,
    /// What is kept of the worktree besides the home folder: files and folders that git does not track.
    pub keep: Vec<RepoPath>,
}

impl OnBase {
    /// Whether a change of this path has the stage run on the candidate.
    #[must_use]
    pub fn is_about(&self, path: &RepoPath) -> bool {
        self.lock_files.contains(path)
            || self.keep.iter().any(|kept| kept == path || path.ancestors().any(|above| above == kept.as_str()))
    }
}

/// One step of verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageRules {
    /// Its name, unique in the file.
    pub name: String,
    /// What it is for.
    pub kind: StageKind,
    /// The program and its arguments; no shell is involved.
    pub command: Vec<String>,
    /// After how long it is ended.
    pub timeout: Duration,
    /// How many bytes of its output's tail are kept.
    pub output_limit: usize,
    /// What the kept tail of its output must match for it to pass.
    pub must_match: Option<OutputRule>,
    /// How much of the machine it may use.
    pub limits: StageLimits,
    /// Which variables of the agent's environment it gets.
    pub environment: Vec<VariablePattern>,
    /// Whether it may use the network.
    pub network: bool,
    /// What happens where the machine lacks a wall.
    pub isolation: Isolation,
    /// Whether it prepares dependencies on the base. Such stages come before all others.
    pub on_base: Option<OnBase>,
}

impl StageRules {
    /// A stage with the defaults of the rules file.
    #[must_use]
    pub fn new(name: impl Into<String>, command: Vec<String>) -> Self {
        Self {
            name: name.into(),
            kind: StageKind::default(),
            command,
            timeout: Duration::from_mins(10),
            output_limit: 65_536,
            must_match: None,
            limits: StageLimits::default(),
            environment: Vec::new(),
            network: false,
            isolation: Isolation::default(),
            on_base: None,
        }
    }
}
