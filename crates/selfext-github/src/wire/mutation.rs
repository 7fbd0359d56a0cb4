//! The mutation that publishes in one request.

use selfext_domain::{CommitSha, PullRequestNumber, TreeSha};
use serde::{Deserialize, Serialize};

/// Makes the branch at the base, puts the commit on it, and opens the pull request. GitHub carries the fields out in their
/// order; one that fails is null, and the later ones are still tried.
pub(crate) const PUBLISH: &str = "\
mutation Publish($branch: CreateRefInput!, $commit: CreateCommitOnBranchInput!, $pull: CreatePullRequestInput!) {
  branch: createRef(input: $branch) { ref { name } }
  commit: createCommitOnBranch(input: $commit) {
    commit { oid message tree { oid } parents(first: 2) { nodes { oid } } }
  }
  pull: createPullRequest(input: $pull) { pullRequest { number url } }
}";

/// The values of its variables.
#[derive(Serialize)]
pub(crate) struct PublishVariables<'a> {
    pub(crate) branch: CreateRef<'a>,
    pub(crate) commit: CreateCommitOnBranch<'a>,
    pub(crate) pull: CreatePullRequest<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateRef<'a> {
    pub(crate) repository_id: &'a str,
    /// With `refs/heads/`.
    pub(crate) name: String,
    pub(crate) oid: &'a CommitSha,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateCommitOnBranch<'a> {
    pub(crate) branch: CommittableBranch<'a>,
    /// Where the branch must be; the commit's parent.
    pub(crate) expected_head_oid: &'a CommitSha,
    pub(crate) message: CommitMessage<'a>,
    pub(crate) file_changes: FileChanges<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CommittableBranch<'a> {
    pub(crate) repository_name_with_owner: &'a str,
    pub(crate) branch_name: &'a str,
}

/// A message, which becomes the headline, an empty line and the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct CommitMessage<'a> {
    pub(crate) headline: &'a str,
    pub(crate) body: &'a str,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct FileChanges<'a> {
    pub(crate) additions: Vec<FileAddition<'a>>,
    pub(crate) deletions: Vec<FileDeletion<'a>>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FileAddition<'a> {
    pub(crate) path: &'a str,
    /// In base64.
    pub(crate) contents: String,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FileDeletion<'a> {
    pub(crate) path: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreatePullRequest<'a> {
    pub(crate) repository_id: &'a str,
    pub(crate) base_ref_name: &'a str,
    pub(crate) head_ref_name: &'a str,
    pub(crate) title: &'a str,
    pub(crate) body: &'a str,
}

/// What came of it.
#[derive(Deserialize)]
pub(crate) struct PublishData {
    commit: Option<CommitPayload>,
    pull: Option<PullPayload>,
}

#[derive(Deserialize)]
struct CommitPayload {
    commit: Option<MadeCommit>,
}

#[derive(Deserialize)]
struct PullPayload {
    #[serde(rename = "pullRequest")]
    pull_request: Option<OpenedPullRequest>,
}

impl PublishData {
    /// The commit and the pull request, as far as there are such.
    pub(crate) fn into_parts(self) -> (Option<MadeCommit>, Option<OpenedPullRequest>) {
        let commit = self.commit.and_then(|payload| payload.commit);
        (commit, self.pull.and_then(|payload| payload.pull_request))
    }
}

/// The commit that was made.
#[derive(Deserialize)]
pub(crate) struct MadeCommit {
    pub(crate) oid: CommitSha,
    pub(crate) message: String,
    pub(crate) tree: MadeTree,
    parents: Nodes,
}

impl MadeCommit {
    pub(crate) fn parents(&self) -> impl Iterator<Item = &CommitSha> {
        self.parents.nodes.iter().map(|parent| &parent.oid)
    }
}

#[derive(Deserialize)]
pub(crate) struct MadeTree {
    pub(crate) oid: TreeSha,
}

#[derive(Deserialize)]
struct Nodes {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    oid: CommitSha,
}

/// The pull request that was opened.
#[derive(Deserialize)]
pub(crate) struct OpenedPullRequest {
    pub(crate) number: PullRequestNumber,
    pub(crate) url: String,
}
