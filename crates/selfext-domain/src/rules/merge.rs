//! How a change is merged.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How a pull request is merged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MergeMethod {
    /// One new commit on the base branch.
    #[default]
    Squash,
    /// A merge commit.
    Merge,
    /// The head's commits anew on the base branch.
    Rebase,
}

impl MergeMethod {
    /// The word in the rules, in the ledger and for the forge.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Squash => "squash",
            Self::Merge => "merge",
            Self::Rebase => "rebase",
        }
    }
}

/// By which of the forge's ways a merge is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MergeWay {
    /// One request, whose answer says what became of it.
    #[default]
    Direct,
    /// One request that the forge takes in, and a result that is asked for; directly where the forge has no such way.
    Asynchronous,
    /// The forge's merge queue, which makes a commit of its own and lands it when that one's checks are green.
    Queue,
}

impl MergeWay {
    /// Whether it is the plain one.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        *self == Self::Direct
    }

    /// Whether the forge makes another commit than the one that selfext put on its branch's base, and when it likes.
    #[must_use]
    pub fn is_queue(self) -> bool {
        self == Self::Queue
    }
}

/// What is done where the base takes changes through a merge queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MergeQueueRule {
    /// Nothing is promoted: a queue lands commits that nobody verified.
    #[default]
    Refuse,
    /// Changes go through it, and what vouches for the queue's own commit are the contexts that the branch requires of it.
    Enqueue {
        /// For how long a change may stand in the queue before it is taken out.
        wait: Duration,
    },
}
