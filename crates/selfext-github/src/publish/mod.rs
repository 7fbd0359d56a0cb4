//! Publishing: a commit, a branch, a pull request; and what shows the evidence.

mod at_once;
mod branch;
mod evidence;
mod file_changes;
mod pull;
mod standing;
mod tree;

use selfext_domain::PullRequestNumber;
use selfext_domain::ports::{ForgeError, Publication, Published};

use self::at_once::AtOnce;
pub(crate) use self::at_once::GraphqlSupport;
pub(crate) use self::evidence::EvidenceShown;
use crate::client::Client;
use crate::refs::must_be_own;

impl Client {
    /// One request where nothing of the publication is there yet and GraphQL can make it; four one after another everywhere
    /// else, and more where something is there already.
    ///
    /// Both ways end at the same commit, branch and pull request, and the second one takes over what the first one left, so
    /// that it does not matter where a publication broke off.
    pub(crate) async fn publish(&self, publication: &Publication) -> Result<Published, ForgeError> {
        must_be_own(&publication.branch)?;
        let opened = match self.publish_at_once(publication).await? {
            AtOnce::Done(published) => {
                self.inner.evidence.nothing_on(&published.head);
                return Ok(published);
            }
            AtOnce::NotDone { opened } => opened,
        };
        match self.publish_step_by_step(publication).await {
            Err(error @ ForgeError::TreeDiffers { .. }) => self.take_away(publication, error).await,
            Err(error @ ForgeError::BranchTaken { .. }) => self.close_opened(opened, error).await,
            published => published,
        }
    }

    /// Nothing refers to the tree and the commit until the branch is made.
    async fn publish_step_by_step(&self, publication: &Publication) -> Result<Published, ForgeError> {
        let candidate = &publication.candidate;
        let tree = self.write_tree(candidate).await?;
        if tree != candidate.tree {
            return Err(ForgeError::TreeDiffers { expected: candidate.tree.clone(), actual: tree });
        }
        let commit = self.create_commit(&publication.commit_message, &tree, &candidate.base).await?;
        let head = self.place_branch(publication, &commit).await?;
        if head == commit {
            self.inner.evidence.nothing_on(&head);
        }
        let pull = self.ensure_pull_request(publication).await?;
        Ok(Published { pull_request: pull.number, url: pull.url(), head })
    }

    /// GitHub makes another tree, whatever way it is asked: what an earlier request made of it must not stay. Until it is
    /// certain that it does not, publishing is not over, so that it is repeated.
    async fn take_away<T>(&self, publication: &Publication, error: ForgeError) -> Result<T, ForgeError> {
        match self.retire(&publication.branch).await {
            // Made by a mutation that went no further; it holds nobody's work.
            Err(ForgeError::BranchTaken { head, .. }) if head == publication.candidate.base => {
                self.delete_own_branch(&publication.branch).await?;
            }
            Ok(_) | Err(ForgeError::BranchTaken { .. }) => {}
            Err(uncertain) => return Err(uncertain),
        }
        Err(error)
    }

    /// Closes the pull request that was opened for what turned out to be somebody else's commit.
    async fn close_opened<T>(&self, opened: Option<PullRequestNumber>, error: ForgeError) -> Result<T, ForgeError> {
        if let Some(opened) = opened {
            self.close(opened).await?;
        }
        Err(error)
    }
}
