//! Reviews, and who gave them.

use selfext_domain::{CommitSha, ReviewState};
use serde::Deserialize;

/// A person or a program.
#[derive(Clone, Deserialize)]
pub(crate) struct User {
    pub(crate) login: String,
    #[serde(rename = "type")]
    kind: String,
}

impl User {
    /// Whether it is a person's account and not a program's.
    pub(crate) fn is_person(&self) -> bool {
        self.kind == "User"
    }
}

/// A review as it is read.
#[derive(Deserialize)]
pub(crate) struct ReviewBody {
    pub(crate) id: u64,
    /// Missing if the account was deleted.
    pub(crate) user: Option<User>,
    state: String,
    pub(crate) commit_id: Option<CommitSha>,
}

impl ReviewBody {
    pub(crate) fn state(&self) -> ReviewState {
        match self.state.as_str() {
            "APPROVED" => ReviewState::Approved,
            "CHANGES_REQUESTED" => ReviewState::ChangesRequested,
            "DISMISSED" => ReviewState::Dismissed,
            _ => ReviewState::Other,
        }
    }
}

/// What somebody may do in a repository.
#[derive(Deserialize)]
pub(crate) struct Permission {
    permission: String,
}

impl Permission {
    /// Whether it allows to write. The finer roles show as one of GitHub's four words here.
    pub(crate) fn may_write(&self) -> bool {
        matches!(self.permission.as_str(), "admin" | "write" | "maintain")
    }
}
