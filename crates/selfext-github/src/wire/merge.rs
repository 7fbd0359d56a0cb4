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

/// A merge that is to happen in the background.
#[derive(Serialize)]
pub(crate) struct AsyncMergeRequest<'a> {
    #[serde(flatten)]
    pub(crate) merge: MergeRequest<'a>,
    /// Never the queue: that has its own way.
    pub(crate) merge_action: &'static str,
}

/// How such a merge stands.
#[derive(Deserialize)]
pub(crate) struct AsyncMerge {
    /// `pending`, `merged`, `enqueued` or `failed`.
    pub(crate) status: String,
    pub(crate) details: AsyncDetails,
}

/// What is said of it beside.
#[derive(Deserialize)]
pub(crate) struct AsyncDetails {
    pub(crate) message: String,
    /// Of one that is pending: by which its result is asked for,
    #[serde(default)]
    pub(crate) uuid: Option<String>,
    /// to which head it is bound,
    #[serde(default)]
    pub(crate) expected_head_sha: Option<CommitSha>,
    /// and how it merges.
    #[serde(default)]
    pub(crate) merge_method: Option<String>,
    /// Of one that merged: the commit on the base.
    #[serde(default)]
    pub(crate) sha: Option<CommitSha>,
}
