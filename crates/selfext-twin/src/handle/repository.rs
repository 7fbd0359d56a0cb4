//! The repository as somebody else would change it.

use super::TwinHandle;
use crate::api::{ApiError, Wish, open};
use crate::clock;
use crate::control::PullSnapshot;
use crate::error::TwinError;
use crate::git::{NewCommit, RefChange, RefName, Signature, TreeChange, TreeEditError, TreeEntry, path_segments};
use crate::state::Pull;
use crate::world::WorldError;

impl TwinHandle {
    /// Where a branch is, as a full commit id; `None` if there is no such branch.
    ///
    /// # Errors
    ///
    /// [`TwinError::Git`] if the repository cannot be read.
    pub async fn branch_head(&self, branch: &str) -> Result<Option<String>, TwinError> {
        Ok(self.world.branch_tip(branch).await?.map(|oid| oid.to_string()))
    }

    /// A file's bytes at the head of a branch; `None` if the branch or the file does not exist.
    ///
    /// # Errors
    ///
    /// [`TwinError::Git`] if the repository cannot be read.
    pub async fn file(&self, branch: &str, path: &str) -> Result<Option<Vec<u8>>, TwinError> {
        let git = &self.world.git;
        let Some(tip) = self.world.branch_tip(branch).await? else {
            return Ok(None);
        };
        let Some(tree) = git.tree_of(tip).await? else {
            return Ok(None);
        };
        let path: Vec<&str> = path.split('/').collect();
        let Some(entry) = git.entry_at(tree, &path).await? else {
            return Ok(None);
        };
        let object = git.object(entry.oid).await?;
        Ok(object.filter(|(info, _)| info.kind == "blob").map(|(_, data)| data))
    }

    /// Adds a commit with one written file to a branch, as if somebody had pushed it, and gives its id. Protection
    /// does not apply. A branch that does not exist begins at the default branch.
    ///
    /// # Errors
    ///
    /// [`TwinError::NoSuchThing`] if the branch or the path has an impossible name or there is nothing to begin at,
    /// [`TwinError::RefMoved`] if somebody else moved the branch meanwhile; [`TwinError::Closed`],
    /// [`TwinError::Git`] and [`TwinError::Files`] if it cannot be done. May be repeated.
    pub async fn push_file(&self, branch: &str, path: &str, data: &[u8], message: &str) -> Result<String, TwinError> {
        let world = &self.world;
        let name = RefName::branch(branch).ok_or_else(|| TwinError::NoSuchThing(format!("branch {branch}")))?;
        let segments = path_segments(path).ok_or_else(|| TwinError::NoSuchThing(format!("path {path}")))?;
        let oid = world.git.write_blob(data).await?;

        let mut store = world.store.lock().await;
        world.check_open()?;
        let before = world.git.find_ref(&name).await?;
        let start = match &before {
            Some(target) => Some(target.oid),
            None => world.branch_tip(&world.default_branch).await?,
        };
        let start = start.ok_or_else(|| TwinError::NoSuchThing("commit to begin at".to_owned()))?;
        let base = world.git.tree_of(start).await?;
        let put = TreeChange::Put(TreeEntry { mode: 0o100_644, oid });
        let tree = match world.git.edit_tree(base, &[(segments, put)]).await {
            Ok(tree) => tree,
            Err(TreeEditError::NothingToDelete) => {
                return Err(TwinError::NoSuchThing(format!("path {path}")));
            }
            Err(TreeEditError::Git(error)) => return Err(error.into()),
        };
        let who = Signature::at("somebody", "somebody@selfext.invalid", clock::now());
        let commit = NewCommit {
            tree,
            parents: vec![start],
            author: who.clone(),
            committer: who,
            message: message.to_owned(),
            signature: None,
        };
        let commit = world.git.write_commit(&commit).await?;
        moved(world.change_ref(&mut store, &name, before, Some(commit)).await, &name)?;
        Ok(commit.to_string())
    }

    /// Deletes a branch, as if somebody had; nothing happens if there is none. Protection does not apply.
    ///
    /// # Errors
    ///
    /// [`TwinError::RefMoved`] if somebody else moved the branch meanwhile; [`TwinError::Closed`],
    /// [`TwinError::Git`] and [`TwinError::Files`] if it cannot be done. May be repeated.
    pub async fn delete_branch(&self, branch: &str) -> Result<(), TwinError> {
        let Some(name) = RefName::branch(branch) else {
            return Ok(());
        };
        let mut store = self.world.store.lock().await;
        self.world.check_open()?;
        match self.world.git.find_ref(&name).await? {
            None => Ok(()),
            before => moved(self.world.change_ref(&mut store, &name, before, None).await, &name),
        }
    }

    /// Opens a pull request, as if the user of the configuration had, and gives its number.
    ///
    /// # Errors
    ///
    /// [`TwinError::Refused`] if GitHub would not; [`TwinError::Closed`], [`TwinError::Git`] and [`TwinError::Files`] if it cannot
    /// be done.
    pub async fn open_pull(&self, head: &str, base: &str, title: &str) -> Result<u64, TwinError> {
        let mut store = self.world.store.lock().await;
        self.world.check_open()?;
        let wish = Wish { head, base, title: Some(title), body: None, draft: false };
        match open(&self.world, &mut store, &wish).await {
            Ok(pull) => Ok(pull.number),
            Err(ApiError::Failed(error)) => Err(error.into()),
            Err(refused) => Err(TwinError::Refused(refused.words())),
        }
    }

    /// What was said on a pull request, in its order.
    pub async fn comments(&self, pull_request: u64) -> Vec<String> {
        let store = self.world.store.lock().await;
        let comments = store.state.comments.get(&pull_request).into_iter().flatten();
        comments.map(|comment| comment.body.clone()).collect()
    }

    /// All pull requests as they are recorded, by number. The repository is not asked: a head that was moved behind
    /// the twin's back is seen when the pull request is next read over the API.
    pub async fn pulls(&self) -> Vec<PullSnapshot> {
        let store = self.world.store.lock().await;
        store.state.pulls.values().map(Pull::snapshot).collect()
    }
}

fn moved(change: Result<RefChange, WorldError>, name: &RefName) -> Result<(), TwinError> {
    match change? {
        RefChange::Done => Ok(()),
        RefChange::Moved | RefChange::Refused => Err(TwinError::RefMoved(name.to_string())),
    }
}
