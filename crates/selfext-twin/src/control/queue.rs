//! Merge queues.

use serde::{Deserialize, Serialize};

use super::MergeMethod;

/// How the merge queue of a branch works, as a ruleset says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueueRules {
    /// How pull requests are merged.
    pub method: MergeMethod,
    /// Whether it is enough that the last commit of a group has passed its checks (`HEADGREEN`), or each of them must have
    /// (`ALLGREEN`).
    pub head_green: bool,
    /// How many entries, from the front, have a commit of their own at the same time.
    pub build_at_once: usize,
    /// How many entries may land together where it is enough that the last commit has passed.
    pub merge_at_once: usize,
}

impl Default for QueueRules {
    /// Squashing, all commits green, five entries at once.
    fn default() -> Self {
        Self { method: MergeMethod::Squash, head_green: false, build_at_once: 5, merge_at_once: 5 }
    }
}

/// An entry of a merge queue as a test sees it, as the twin has recorded it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueEntry {
    /// The number of the pull request.
    pub number: u64,
    /// The commit that the pull request is at.
    pub head_sha: String,
    /// The commit that its base is to come to, and where it lies; none while it waits for those ahead.
    pub group: Option<QueueCommit>,
}

/// A commit that a queue has made to be tested: the base, or the entry ahead, with one pull request merged into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueCommit {
    /// The number of the pull request.
    pub number: u64,
    /// The branch that the queue is for.
    pub base: String,
    /// The commit that it lies on: where the base is, or the commit of the entry ahead.
    pub base_sha: String,
    /// The branch that leads to it, below `gh-readonly-queue/`.
    pub branch: String,
    /// The commit.
    pub sha: String,
}
