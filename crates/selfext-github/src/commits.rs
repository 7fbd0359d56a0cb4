//! Commits.

use http::StatusCode;
use selfext_domain::ports::{ForgeError, LandedCommit};
use selfext_domain::{CommitSha, TreeSha};

use crate::client::{CREATED, Client};
use crate::wire::{CommitBody, NewCommit};

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
        let body = self.read_commit(commit).await?;
        let parents = body.parents.into_iter().map(|parent| parent.sha).collect();
        Ok(LandedCommit { tree: body.tree.sha, parents, message: body.message })
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
