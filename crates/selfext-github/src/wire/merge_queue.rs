//! The merge queue, in GraphQL.

use selfext_domain::CommitSha;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

/// Asks how a pull request stands, and where in the queue.
pub(crate) const QUEUED: &str = "\
query Queued($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    id
    pullRequest(number: $number) {
      id
      state
      headRefOid
      mergeCommit { oid }
      mergeQueueEntry { position headCommit { oid } }
    }
  }
}";

/// Puts a pull request into the queue, bound to its head.
pub(crate) const ENQUEUE: &str = "\
mutation Enqueue($input: EnqueuePullRequestInput!) {
  enqueuePullRequest(input: $input) { mergeQueueEntry { position } }
}";

/// Takes it out.
pub(crate) const DEQUEUE: &str = "\
mutation Dequeue($input: DequeuePullRequestInput!) {
  dequeuePullRequest(input: $input) { mergeQueueEntry { position } }
}";

/// The values of the question's variables.
#[derive(Serialize)]
pub(crate) struct QueuedVariables<'a> {
    pub(crate) owner: &'a str,
    pub(crate) name: &'a str,
    pub(crate) number: u64,
}

/// The variable of a mutation.
#[derive(Serialize)]
pub(crate) struct Input<T> {
    pub(crate) input: T,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EnqueueInput<'a> {
    pub(crate) pull_request_id: &'a str,
    pub(crate) expected_head_oid: &'a CommitSha,
}

#[derive(Serialize)]
pub(crate) struct DequeueInput<'a> {
    /// The pull request's.
    pub(crate) id: &'a str,
}

/// What the question gives.
#[derive(Deserialize)]
pub(crate) struct QueuedData {
    pub(crate) repository: Option<QueuedRepository>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueuedRepository {
    pub(crate) id: String,
    pub(crate) pull_request: Option<QueuedPull>,
}

/// A pull request, as far as the queue goes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QueuedPull {
    pub(crate) id: String,
    /// `OPEN`, `CLOSED` or `MERGED`.
    pub(crate) state: String,
    pub(crate) head_ref_oid: CommitSha,
    pub(crate) merge_commit: Option<Commit>,
    pub(crate) merge_queue_entry: Option<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    pub(crate) position: u32,
    pub(crate) head_commit: Option<Commit>,
}

#[derive(Deserialize)]
pub(crate) struct Commit {
    pub(crate) oid: CommitSha,
}

/// What a mutation gives.
#[derive(Deserialize)]
pub(crate) struct EnqueuedData {
    #[serde(rename = "enqueuePullRequest")]
    enqueued: Option<EnqueuedPayload>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EnqueuedPayload {
    merge_queue_entry: Option<IgnoredAny>,
}

impl EnqueuedData {
    /// Whether it stands in the queue.
    pub(crate) fn is_in(&self) -> bool {
        self.enqueued.as_ref().is_some_and(|payload| payload.merge_queue_entry.is_some())
    }
}
