//! References.

use selfext_domain::CommitSha;
use serde::{Deserialize, Serialize};

/// A reference as it is read.
#[derive(Deserialize)]
pub(crate) struct ReferenceBody {
    #[serde(rename = "ref")]
    pub(crate) name: String,
    pub(crate) object: Target,
}

/// What a reference names.
#[derive(Deserialize)]
pub(crate) struct Target {
    pub(crate) sha: CommitSha,
}

/// A reference to be made.
#[derive(Serialize)]
pub(crate) struct NewReference<'a> {
    /// With `refs/heads/`.
    #[serde(rename = "ref")]
    pub(crate) name: &'a str,
    pub(crate) sha: &'a CommitSha,
}

/// A reference to be moved.
#[derive(Serialize)]
pub(crate) struct MoveReference<'a> {
    pub(crate) sha: &'a CommitSha,
    /// Without it, GitHub moves forward only.
    pub(crate) force: bool,
}
