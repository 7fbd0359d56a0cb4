//! Branches as references.

use http::StatusCode;
use selfext_domain::ports::ForgeError;
use selfext_domain::{BranchName, CommitSha};

use crate::client::{CREATED, Client};
use crate::wire::{BranchBody, MoveReference, NewReference, ReferenceBody};

/// What became of a wish to make a branch.
pub(crate) enum Creation {
    /// It is there now, at the commit.
    Created,
    /// It was there before.
    Exists,
    /// GitHub does not know the commit yet that it just made.
    CommitUnknown(ForgeError),
}

/// What became of a wish to move a branch.
pub(crate) enum Move {
    /// It is at the commit.
    Done,
    /// GitHub refused: the branch is gone, the commit is not ahead of it, or a rule forbids it.
    Refused(ForgeError),
}

impl Client {
    /// The tip of a branch; nothing if GitHub says that there is none.
    pub(crate) async fn find_branch(&self, branch: &BranchName) -> Result<Option<CommitSha>, ForgeError> {
        let answer = self.get(self.at("git/ref/heads").branch(branch)).await?;
        if answer.is(StatusCode::NOT_FOUND) {
            return Ok(None);
        }
        let what = format!("the branch {branch}");
        let reference: ReferenceBody = answer.expect(StatusCode::OK, &what)?;
        // Some servers answer a name with another one that it is the beginning of.
        if reference.name.strip_prefix("refs/heads/") == Some(branch.as_str()) {
            Ok(Some(reference.object.sha))
        } else {
            Err(ForgeError::Unreadable(format!("another branch was given for {branch}")))
        }
    }

    pub(crate) async fn get_branch(&self, branch: &BranchName) -> Result<CommitSha, ForgeError> {
        let head = self.find_branch(branch).await?;
        head.ok_or_else(|| ForgeError::NotFound(format!("branch {branch}")))
    }

    /// A branch with the commit at its tip and its protection; nothing if GitHub says that there is none.
    pub(crate) async fn find_whole_branch(&self, branch: &BranchName) -> Result<Option<BranchBody>, ForgeError> {
        let answer = self.get(self.at("branches").branch(branch)).await?;
        if answer.is(StatusCode::NOT_FOUND) {
            return Ok(None);
        }
        let found: BranchBody = answer.expect(StatusCode::OK, &format!("the branch {branch}"))?;
        // A branch that was renamed may be given under its new name.
        if found.name == branch.as_str() {
            Ok(Some(found))
        } else {
            Err(ForgeError::Unreadable(format!("another branch was given for {branch}")))
        }
    }

    pub(crate) async fn create_branch(&self, branch: &BranchName, commit: &CommitSha) -> Result<Creation, ForgeError> {
        let name = format!("refs/heads/{branch}");
        let answer = self.post(self.at("git/refs"), &NewReference { name: &name, sha: commit }).await?;
        if answer.is(CREATED) {
            Ok(Creation::Created)
        } else if answer.is_invalid_for("already exists") {
            Ok(Creation::Exists)
        } else if answer.is_invalid_for("object does not exist") {
            Ok(Creation::CommitUnknown(answer.error("the new commit")))
        } else {
            Err(answer.error("repository"))
        }
    }

    /// Moves a branch; without `force` only forward.
    pub(crate) async fn move_branch(
        &self,
        branch: &BranchName,
        commit: &CommitSha,
        force: bool,
    ) -> Result<Move, ForgeError> {
        let route = self.at("git/refs/heads").branch(branch);
        let answer = self.patch(route, &MoveReference { sha: commit, force }).await?;
        if answer.is(StatusCode::OK) {
            return Ok(Move::Done);
        }
        let error = answer.error(&format!("branch {branch}"));
        if answer.is(StatusCode::UNPROCESSABLE_ENTITY) { Ok(Move::Refused(error)) } else { Err(error) }
    }

    /// Puts a branch of selfext's at a commit, whether it is there or not.
    pub(crate) async fn park(&self, branch: &BranchName, at: &CommitSha) -> Result<(), ForgeError> {
        must_be_own(branch)?;
        let mut waits = self.waits();
        loop {
            let Move::Refused(error) = self.move_branch(branch, at, true).await? else {
                return Ok(());
            };
            if matches!(self.create_branch(branch, at).await?, Creation::Created) {
                return Ok(());
            }
            // It was made between the two requests, or the commit is not known everywhere yet.
            if !waits.again("parked branch").await {
                return Err(error);
            }
        }
    }

    /// Deletes a branch of selfext's, or finds for certain that it is gone.
    pub(crate) async fn delete_own_branch(&self, branch: &BranchName) -> Result<(), ForgeError> {
        must_be_own(branch)?;
        let answer = self.delete(self.at("git/refs/heads").branch(branch)).await?;
        if answer.is(StatusCode::NO_CONTENT) || answer.is_invalid_for("does not exist") {
            Ok(())
        } else if answer.is(StatusCode::NOT_FOUND) {
            self.confirm_visible().await
        } else {
            Err(answer.error(&format!("branch {branch}")))
        }
    }

    /// Makes certain that "there is none" was said about the thing and not about the whole repository: GitHub answers 404
    /// to credentials that may not see it.
    pub(crate) async fn confirm_visible(&self) -> Result<(), ForgeError> {
        let answer = self.get(self.repository_route()).await?;
        let what = format!("repository {}", self.repository());
        if answer.is(StatusCode::OK) { Ok(()) } else { Err(answer.error(&what)) }
    }
}

/// Refuses to write to a branch that is not selfext's.
pub(crate) fn must_be_own(branch: &BranchName) -> Result<(), ForgeError> {
    if branch.is_selfext() {
        return Ok(());
    }
    Err(ForgeError::Refused(format!("the branch {branch} is not one of selfext's; nothing was asked for")))
}
