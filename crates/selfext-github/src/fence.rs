//! Making a merge that may still arrive impossible.

use selfext_domain::ports::ForgeError;
use selfext_domain::{BranchName, CommitSha};

use crate::client::Client;
use crate::refs::{Creation, Move, must_be_own};

/// The message of the empty commit that fences a branch.
pub(crate) const FENCE_MESSAGE: &str = "selfext: fenced";

/// The branch is still where it must not be.
#[derive(Debug, thiserror::Error)]
#[error("the branch {branch} may still be at {head}")]
struct NotCertain {
    branch: BranchName,
    head: CommitSha,
}

impl Client {
    /// Moves the branch one empty commit ahead of `head`, unless it is elsewhere. A merge that is bound to `head` then fails on
    /// GitHub's own check, also when somebody opens the pull request again. A branch that is gone is made anew there: otherwise
    /// a person could bring it back at `head`, with the pull request.
    ///
    /// A read may lag behind the truth, so a branch that is seen elsewhere is certain when GitHub also accepted the move, or
    /// when it is seen elsewhere again after a pause.
    pub(crate) async fn fence(&self, branch: &BranchName, head: &CommitSha) -> Result<(), ForgeError> {
        must_be_own(branch)?;
        let mut waits = self.waits();
        let (mut moved, mut seen_elsewhere) = (false, 0);
        loop {
            match self.find_branch(branch).await? {
                None => {
                    self.confirm_visible().await?;
                    if self.make_ahead(branch, head).await? {
                        return Ok(());
                    }
                }
                Some(found) if found != *head => {
                    seen_elsewhere += 1;
                    if moved || seen_elsewhere == 2 {
                        return Ok(());
                    }
                }
                Some(_) if !moved => {
                    seen_elsewhere = 0;
                    moved = self.step_ahead(branch, head).await?;
                }
                Some(_) => {}
            }
            if !waits.again("fenced branch").await {
                return Err(ForgeError::unavailable(NotCertain { branch: branch.clone(), head: head.clone() }));
            }
        }
    }

    /// Asks GitHub to move the branch forward. If it refuses, the branch was moved or deleted meanwhile: the next look tells.
    async fn step_ahead(&self, branch: &BranchName, head: &CommitSha) -> Result<bool, ForgeError> {
        let fence = self.commit_ahead(head).await?;
        Ok(matches!(self.move_branch(branch, &fence, false).await?, Move::Done))
    }

    /// Asks GitHub for a new branch there. If it refuses, somebody made one meanwhile, or the commit is not known everywhere
    /// yet: the next look tells.
    async fn make_ahead(&self, branch: &BranchName, head: &CommitSha) -> Result<bool, ForgeError> {
        let fence = self.commit_ahead(head).await?;
        Ok(matches!(self.create_branch(branch, &fence).await?, Creation::Created))
    }

    /// An empty commit on top of `head`.
    async fn commit_ahead(&self, head: &CommitSha) -> Result<CommitSha, ForgeError> {
        let tree = self.read_commit(head).await?.tree.sha;
        self.create_commit(FENCE_MESSAGE, &tree, head).await
    }
}
