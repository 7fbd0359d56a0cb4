//! Commits.

use http::StatusCode;
use selfext_domain::ports::{BranchSince, ForgeError, LandedCommit};
use selfext_domain::{BranchName, CommitSha, TreeSha};

use crate::client::{CREATED, Client};
use crate::wire::{CommitBody, Comparison, NewCommit};

/// How many commits a page of a comparison has; GitHub's most.
const PER_PAGE: &str = "100";

/// How many commits of a branch are looked through at most.
const MAX_COMMITS: usize = 1000;

/// The commits of a branch changed while they were read, each time.
#[derive(Debug, thiserror::Error)]
#[error("the branch {0} moved while its commits were read")]
struct Restless(BranchName);

impl Client {
    pub(crate) async fn read_commit(&self, commit: &CommitSha) -> Result<CommitBody, ForgeError> {
        let what = format!("commit {commit}");
        let mut waits = self.waits();
        loop {
            let answer = self.get(self.at("git/commits").commit(commit)).await?;
            // Whoever asks for a commit has heard of it from GitHub, which may not have heard of it everywhere.
            if answer.is(StatusCode::NOT_FOUND) && waits.again("commit").await {
                continue;
            }
            let body: CommitBody = answer.expect(StatusCode::OK, &what)?;
            return if body.sha == *commit {
                Ok(body)
            } else {
                Err(ForgeError::Unreadable(format!("another commit was given for {commit}")))
            };
        }
    }

    pub(crate) async fn landed_commit(&self, commit: &CommitSha) -> Result<LandedCommit, ForgeError> {
        Ok(self.read_commit(commit).await?.into())
    }

    /// What a branch has since a commit. The list may change while its pages are read; then it is read again.
    pub(crate) async fn branch_since(&self, branch: &BranchName, since: &CommitSha) -> Result<BranchSince, ForgeError> {
        let mut waits = self.waits();
        loop {
            if let Some(whole) = self.try_branch_since(branch, since).await? {
                return Ok(whole);
            }
            if !waits.again("commits").await {
                return Err(ForgeError::unavailable(Restless(branch.clone())));
            }
        }
    }

    async fn try_branch_since(
        &self,
        branch: &BranchName,
        since: &CommitSha,
    ) -> Result<Option<BranchSince>, ForgeError> {
        let what = format!("branch {branch} or commit {since}");
        let mut commits: Vec<LandedCommit> = Vec::new();
        let mut page = 1;
        loop {
            let route =
                self.at("compare").range(since, branch).query("per_page", PER_PAGE).query("page", &page.to_string());
            let compared: Comparison = self.get(route).await?.expect(StatusCode::OK, &what)?;
            if compared.total_commits > MAX_COMMITS {
                let count = compared.total_commits;
                return Err(ForgeError::Unreadable(format!("{branch} has {count} commits since {since}: too many")));
            }
            let last = compared.commits.is_empty();
            commits.extend(compared.commits.into_iter().map(LandedCommit::from));
            if commits.len() == compared.total_commits {
                return Ok(Some(BranchSince { commits, rewound: compared.behind_by > 0 }));
            }
            if last || commits.len() > compared.total_commits {
                return Ok(None);
            }
            page += 1;
        }
    }

    /// Makes a commit that nothing refers to yet.
    pub(crate) async fn create_commit(
        &self,
        message: &str,
        tree: &TreeSha,
        parent: &CommitSha,
    ) -> Result<CommitSha, ForgeError> {
        let mut waits = self.waits();
        loop {
            let body = NewCommit { message, tree, parents: [parent] };
            let answer = self.post(self.at("git/commits"), &body).await?;
            let unknown = answer.is_invalid_for("does not exist");
            if unknown && waits.again("new tree").await {
                continue;
            }
            let made: CommitBody = answer.expect(CREATED, "repository")?;
            return if made.tree.sha == *tree && made.parents.iter().map(|made| &made.sha).eq([parent]) {
                Ok(made.sha)
            } else {
                Err(ForgeError::Unreadable(format!("the commit {} is not the one that was asked for", made.sha)))
            };
        }
    }
}
