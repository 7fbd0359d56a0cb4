//! What verification found.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{CommitSha, RedactedText, RepoPath, TreeSha};

/// How one stage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "result")]
pub enum StageResult {
    /// It ended with exit code 0.
    Passed,
    /// It ended by itself with another exit code, or by a signal.
    Failed {
        /// The exit code, unless a signal ended it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exit_code: Option<i32>,
        /// The signal that ended it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signal: Option<i32>,
    },
    /// It ran longer than its time limit and was ended.
    TimedOut,
    /// Its program could not be started.
    CouldNotStart,
}

impl StageResult {
    /// Whether the next stage may run.
    #[must_use]
    pub const fn passed(self) -> bool {
        matches!(self, Self::Passed)
    }
}

impl std::fmt::Display for StageResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Passed => f.write_str("passed"),
            Self::Failed { exit_code: Some(code), .. } => write!(f, "failed with exit code {code}"),
            Self::Failed { signal: Some(signal), .. } => write!(f, "was ended by signal {signal}"),
            Self::Failed { .. } => f.write_str("failed"),
            Self::TimedOut => f.write_str("ran longer than its limit"),
            Self::CouldNotStart => f.write_str("could not start"),
        }
    }
}

/// What one stage of the rules did to the candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageReport {
    /// The stage's name in the rules.
    pub name: String,
    /// How it ended.
    #[serde(flatten)]
    pub result: StageResult,
    /// How long it ran.
    pub duration_ms: u64,
    /// How many bytes of output it wrote, of which the tail is kept.
    pub output_bytes: u64,
    /// The last lines of its output, redacted.
    pub output: RedactedText,
}

/// What a candidate does to one path, with everything that the base decides filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryChange {
    /// The path holds these bytes.
    Write {
        /// The bytes.
        content: Arc<[u8]>,
        /// Whether the file is executable: as asked for, else as on the base.
        executable: bool,
    },
    /// The path is gone.
    Delete,
}

/// A change set on one base commit: the tree it makes. Nothing of it has been run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The commit under it.
    pub base: CommitSha,
    /// The tree of that commit.
    pub base_tree: TreeSha,
    /// The tree with the change on top.
    pub tree: TreeSha,
    /// The entries that differ, in the order of their paths.
    pub entries: Vec<(RepoPath, EntryChange)>,
}
