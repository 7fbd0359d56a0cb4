//! Merges.

use selfext_domain::CommitSha;
use serde::{Deserialize, Serialize};

/// A merge that is asked for.
#[derive(Serialize)]
pub(crate) struct MergeRequest<'a> {
    /// The head to which the merge is bound.
    pub(crate) sha: &'a CommitSha,
    pub(crate) merge_method: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) commit_title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) commit_message: Option<&'a str>,
}

/// A merge that happened: the commit is the new one on the base branch.
#[derive(Deserialize)]
pub(crate) struct MergeResult {
    pub(crate) sha: CommitSha,
    pub(crate) merged: bool,
}
