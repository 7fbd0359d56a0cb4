//! Making a merge that may still arrive impossible.

use selfext_domain::ports::ForgeError;
use selfext_domain::{BranchName, CommitSha};

use crate::client::Client;
use crate::refs::{Move, must_be_own};

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
    /// Moves the branch one empty commit ahead of `head`, unless it is elsewhere or gone. A merge that is bound to `head`
    /// then fails on GitHub's own check, also when somebody opens the pull request again.
    ///
    /// A read may lag behind the truth, so a branch that is seen elsewhere is certain when GitHub also accepted the move, or
    /// when it is seen elsewhere again after a pause.
    pub(crate) async fn fence(&self, branch: &BranchName, head: &CommitSha) -> Result<(), ForgeError> {
        must_be_own(branch)?;
        let mut waits = self.waits();
        let (mut moved, mut seen_elsewhere) = (false, 0);
        loop {
            let found = self.find_branch(branch).await?;
            if found.as_ref() != Some(head) {
                if found.is_none() {
                    self.confirm_visible().await?;
                }
                seen_elsewhere += 1;
                if moved || seen_elsewhere == 2 {
                    return Ok(());
                }
            } else if !moved {
                seen_elsewhere = 0;
                moved = self.step_ahead(branch, head).await?;
            }
            if !waits.again("fenced branch").await {
                return Err(ForgeError::unavailable(NotCertain { branch: branch.clone(), head: head.clone() }));
            }
        }
    }

    /// Asks GitHub to move the branch forward. If it refuses, the branch was moved or deleted meanwhile: the next look tells.
    async fn step_ahead(&self, branch: &BranchName, head: &CommitSha) -> Result<bool, ForgeError> {
        let tree = self.read_commit(head).await?.tree.sha;
        let fence = self.create_commit(FENCE_MESSAGE, &tree, head).await?;
        Ok(matches!(self.move_branch(branch, &fence, false).await?, Move::Done))
    }
}
