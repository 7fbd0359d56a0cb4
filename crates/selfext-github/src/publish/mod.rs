//! Publishing: a tree, a commit, a branch, a pull request, a status.

mod branch;
mod pull;
mod tree;

use selfext_domain::ports::{ForgeError, Publication, Published};

use crate::client::Client;
use crate::refs::must_be_own;

impl Client {
    /// Four requests one after another, and one beside the last; more only where something is there already.
    ///
    /// Nothing refers to the tree and the commit until the branch is made, so that a tree other than the verified one is
    /// found before anything is visible.
    pub(crate) async fn publish(&self, publication: &Publication) -> Result<Published, ForgeError> {
        must_be_own(&publication.branch)?;
        let candidate = &publication.candidate;
        let tree = self.write_tree(candidate).await?;
        if tree != candidate.tree {
            return Err(ForgeError::TreeDiffers { expected: candidate.tree.clone(), actual: tree });
        }
        let commit = self.create_commit(&publication.commit_message, &tree, &candidate.base).await?;
        let head = self.place_branch(publication, &commit).await?;
        // Both to their end: a request that is dropped half-way leaves unknown what it did.
        let (pull, status) =
            tokio::join!(self.ensure_pull_request(publication), self.post_evidence(publication, &head));
        let pull = pull?;
        status?;
        Ok(Published { pull_request: pull.number, url: pull.url(), head })
    }
}
