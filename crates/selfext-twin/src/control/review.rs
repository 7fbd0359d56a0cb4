//! Reviews and what people may do.

use serde::{Deserialize, Serialize};

/// What a review says, in GitHub's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReviewState {
    /// The pull request may be merged.
    Approved,
    /// It may not.
    ChangesRequested,
    /// Neither.
    Commented,
    /// The review was taken back.
    Dismissed,
}

/// What somebody may do in the repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// Everything.
    Admin,
    /// Push.
    Write,
    /// Look.
    Read,
    /// Nothing.
    None,
}

impl Permission {
    /// Whether reviews of such a person count.
    pub(crate) fn may_write(self) -> bool {
        matches!(self, Self::Admin | Self::Write)
    }
}
