//! Names of commits, and moving refs.

use crate::fault::Sight;
use crate::git::{GitError, Oid, RefChange, RefName, RefTarget};
use crate::state::Store;
use crate::world::{World, WorldError};

use super::Scope;

impl World {
    /// The commit that a name stands for: a full or abbreviated id, a branch, a tag, or a ref with or without
    /// `refs/`.
    pub(crate) async fn resolve(&self, name: &str) -> Result<Option<Oid>, GitError> {
        if let Some(oid) = Oid::parse(name) {
            return self.git.peel_to_commit(oid).await;
        }
        let candidates: Vec<RefName> = ["refs/heads/", "refs/tags/", "refs/", ""]
            .iter()
            .filter_map(|prefix| RefName::parse(&format!("{prefix}{name}")))
            .collect();
        let targets = self.git.find_refs(&candidates).await?;
        match targets.into_iter().flatten().next() {
            Some(target) => self.git.peel_to_commit(target.oid).await,
            None => self.git.abbreviated_commit(name).await,
        }
    }

    /// Where a branch is, if it exists.
    pub(crate) async fn branch_tip(&self, branch: &str) -> Result<Option<Oid>, GitError> {
        match RefName::branch(branch) {
            Some(name) => Ok(self.git.find_ref(&name).await?.map(|target| target.oid)),
            None => Ok(None),
        }
    }

    /// A ref as a reader over the API sees it, which may lag behind.
    pub(crate) async fn visible_ref(&self, name: &RefName) -> Result<Option<RefTarget>, GitError> {
        match self.knobs.sight_of(name) {
            Sight::Stale(shown) => Ok(shown),
            Sight::Current => self.git.find_ref(name).await,
        }
    }

    /// Moves a ref if it is still where the caller saw it, and lets pull requests see it at once.
    pub(crate) async fn change_ref(
        &self,
        store: &mut Store,
        name: &RefName,
        before: Option<RefTarget>,
        to: Option<Oid>,
    ) -> Result<RefChange, WorldError> {
        let from = before.as_ref().map(|target| target.oid);
        let change = self.git.move_ref(name, from, to).await?;
        if change == RefChange::Done {
            self.knobs.ref_changed(name, before);
            if let Some(branch) = name.branch_name() {
                self.settle(store, Scope::Branch(branch)).await?;
            }
        }
        Ok(change)
    }
}
