//! The branch of a publication.

use selfext_domain::ports::{ForgeError, Publication};
use selfext_domain::{CommitMeta, CommitSha};

use crate::client::Client;
use crate::fence::FENCE_MESSAGE;
use crate::refs::{Creation, Move};

/// GitHub said both that the branch exists and that it does not.
#[derive(Debug, thiserror::Error)]
#[error("GitHub contradicts itself about the branch {0}")]
struct Contradiction(String);

impl Client {
    /// Puts the branch at the commit, and answers where it is: a commit of the same content on the same base is kept.
    pub(super) async fn place_branch(
        &self,
        publication: &Publication,
        commit: &CommitSha,
    ) -> Result<CommitSha, ForgeError> {
        let branch = &publication.branch;
        let mut waits = self.waits();
        loop {
            let error = match self.create_branch(branch, commit).await? {
                Creation::Created => return Ok(commit.clone()),
                Creation::CommitUnknown(error) => error,
                Creation::Exists => match self.find_branch(branch).await? {
                    None => ForgeError::unavailable(Contradiction(branch.to_string())),
                    Some(head) => match self.take_over(publication, commit, head).await? {
                        Takeover::At(head) => return Ok(head),
                        Takeover::Refused(error) => error,
                    },
                },
            };
            // It went away between two requests, or one of them was answered by a server that lags behind.
            if !waits.again("branch").await {
                return Err(error);
            }
        }
    }

    /// Uses or moves a branch that is there already.
    async fn take_over(
        &self,
        publication: &Publication,
        commit: &CommitSha,
        head: CommitSha,
    ) -> Result<Takeover, ForgeError> {
        if head == *commit {
            return Ok(Takeover::At(head));
        }
        let candidate = &publication.candidate;
        if head == candidate.base {
            // It was made there by a mutation that went no further, or is seen as it was before its commit. It holds nobody's
            // work, and only goes forward from there: if it is elsewhere by now, the next look tells.
            return self.move_to(publication, commit, false).await;
        }
        let found = self.read_commit(&head).await?;
        let on_base = found.parents.iter().map(|parent| &parent.sha).eq([&candidate.base]);
        if found.tree.sha == candidate.tree && on_base {
            return Ok(Takeover::At(head));
        }
        let own = CommitMeta::find(&found.message).is_some() || found.message.trim_end() == FENCE_MESSAGE;
        if !own {
            return Err(ForgeError::BranchTaken { branch: publication.branch.clone(), head });
        }
        self.move_to(publication, commit, true).await
    }

    async fn move_to(
        &self,
        publication: &Publication,
        commit: &CommitSha,
        force: bool,
    ) -> Result<Takeover, ForgeError> {
        Ok(match self.move_branch(&publication.branch, commit, force).await? {
            Move::Done => Takeover::At(commit.clone()),
            Move::Refused(error) => Takeover::Refused(error),
        })
    }
}

/// What became of a branch that was there already.
enum Takeover {
    /// It is at this commit.
    At(CommitSha),
    /// GitHub would not move it.
    Refused(ForgeError),
}
