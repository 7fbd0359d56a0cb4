//! Pull requests.

use selfext_domain::ports::{ForgeError, PullRequest, PullRequestState};
use selfext_domain::{BranchName, CommitSha, PullRequestNumber};
use serde::{Deserialize, Serialize};

use super::review::User;
use crate::message::clean;

/// A pull request as it is read, alone or in a list.
#[derive(Clone, Deserialize)]
pub(crate) struct PullRequestBody {
    pub(crate) number: PullRequestNumber,
    html_url: String,
    pub(crate) title: String,
    pub(crate) body: Option<String>,
    state: String,
    #[serde(default)]
    draft: Option<bool>,
    /// Missing in lists, where the time of the merge tells it.
    #[serde(default)]
    merged: Option<bool>,
    #[serde(default)]
    merged_at: Option<String>,
    #[serde(default)]
    merge_commit_sha: Option<CommitSha>,
    #[serde(default)]
    mergeable: Option<bool>,
    /// Missing in lists.
    #[serde(default)]
    mergeable_state: Option<String>,
    /// Missing if the account was deleted.
    #[serde(default)]
    user: Option<User>,
    head: Side,
    base: Side,
}

/// The head or the base of a pull request.
#[derive(Clone, Deserialize)]
struct Side {
    #[serde(rename = "ref")]
    branch: String,
    sha: CommitSha,
    /// Missing if it was deleted.
    #[serde(default)]
    repo: Option<Repository>,
}

#[derive(Clone, Deserialize)]
struct Repository {
    id: u64,
}

impl PullRequestBody {
    /// The commit that it would merge, or did.
    pub(crate) fn head_sha(self) -> CommitSha {
        self.head.sha
    }

    /// Where a person reads it.
    pub(crate) fn url(&self) -> String {
        clean(&self.html_url)
    }

    /// The number of the repository that it would change.
    pub(crate) fn repository_id(&self) -> Option<u64> {
        self.base.repo.as_ref().map(|repo| repo.id)
    }

    /// Whether it goes from this branch of its own repository to this base. GitHub ignores filters that it does not
    /// understand, so what it lists is checked.
    pub(crate) fn goes(&self, branch: &BranchName, base: &BranchName) -> bool {
        let same = |repo: &Repository| Some(repo.id) == self.repository_id();
        self.head.repo.as_ref().is_none_or(same)
            && self.head.branch == branch.as_str()
            && self.base.branch == base.as_str()
    }
}

impl TryFrom<PullRequestBody> for PullRequest {
    type Error = ForgeError;

    fn try_from(body: PullRequestBody) -> Result<Self, ForgeError> {
        let unreadable =
            |what: &str| ForgeError::Unreadable(clean(&format!("pull request {} has an unknown {what}", body.number)));
        let merged = body.merged.unwrap_or(body.merged_at.is_some());
        let state = match (body.state.as_str(), merged) {
            (_, true) => PullRequestState::Merged { commit: body.merge_commit_sha.clone() },
            ("open", false) => PullRequestState::Open,
            ("closed", false) => PullRequestState::Closed,
            _ => return Err(unreadable("state")),
        };
        Ok(Self {
            number: body.number,
            url: body.url(),
            author: body.user.map(|user| user.login),
            state,
            head: body.head.sha.clone(),
            branch: BranchName::parse(body.head.branch.as_str()).map_err(|_| unreadable("head"))?,
            base: BranchName::parse(body.base.branch.as_str()).map_err(|_| unreadable("base"))?,
            mergeable: body.mergeable,
            draft: body.draft.unwrap_or(false),
            blocked: body.mergeable_state.as_deref() == Some("blocked"),
        })
    }
}

/// A pull request to be opened.
#[derive(Serialize)]
pub(crate) struct NewPullRequest<'a> {
    pub(crate) title: &'a str,
    pub(crate) head: &'a str,
    pub(crate) base: &'a str,
    pub(crate) body: &'a str,
}

/// What is to be changed of a pull request.
#[derive(Serialize)]
pub(crate) struct EditRequest<'a> {
    pub(crate) title: &'a str,
    pub(crate) body: &'a str,
}

/// A pull request to be closed.
#[derive(Serialize)]
pub(crate) struct CloseRequest {
    pub(crate) state: &'static str,
}
