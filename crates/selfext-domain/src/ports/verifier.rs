//! The port of verification.

use async_trait::async_trait;

use super::Source;
use crate::{BranchName, Candidate, ChangeSet, CommitSha, Inverse, RepoPath, RunId, StageReport, StageRules};

/// Why verification could not be carried out. A stage that fails is no error but a report.
#[derive(Debug, thiserror::Error)]
pub enum VerifierError {
    /// The base commit cannot be had.
    #[error("the base commit {0} cannot be had")]
    BaseMissing(CommitSha),
    /// The change does not apply to the base.
    #[error("the change does not apply to its base: {detail}")]
    DoesNotApply {
        /// What is in the way.
        detail: String,
        /// The paths that it is about.
        paths: Vec<RepoPath>,
    },
    /// The rules require walls around candidate code that this machine does not offer; nothing of the candidate ran.
    #[error(
        "verification could not be carried out, since the rules require isolation and this machine lacks it: {detail}"
    )]
    WallsMissing {
        /// Each wall that is missing, and why; redacted.
        detail: String,
    },
    /// The machine did not let it: no disk, no git, no rights; or the tree is larger or deeper than may be.
    #[error("verification could not be carried out: {detail}")]
    Unavailable {
        /// What was tried; redacted.
        detail: String,
        /// What lies under it.
        #[source]
        source: Option<Source>,
    },
}

/// Tries change sets in isolation, on the commit they will land on.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Verifier: Send + Sync {
    /// Reads one file of a base commit; `None` if it is not there or no regular file. Brings the base to this machine first.
    ///
    /// # Errors
    /// [`VerifierError::BaseMissing`], [`VerifierError::Unavailable`].
    async fn read_file(
        &self,
        branch: &BranchName,
        base: &CommitSha,
        path: &RepoPath,
    ) -> Result<Option<Vec<u8>>, VerifierError>;

    /// Puts a change set on a base commit, as git objects alone: nothing is checked out and nothing is run. May be repeated;
    /// the same change on the same base gives the same candidate.
    ///
    /// # Errors
    /// [`VerifierError::DoesNotApply`] if it deletes what is not there, or needs a folder where a file stays.
    async fn prepare(
        &self,
        branch: &BranchName,
        base: &CommitSha,
        change: &ChangeSet,
    ) -> Result<Candidate, VerifierError>;

    /// What takes the landed commit `landed` back on `base`, a later commit of the same branch, or `landed` itself: the difference
    /// between `landed` and its first parent, the other way round, merged with what was changed in between. Nothing is checked
    /// out and nothing is run. May be repeated; the same commits give the same inverse. Its files apply to `base`, with and
    /// without the marked texts of its conflicts.
    ///
    /// # Errors
    /// [`VerifierError::BaseMissing`] if either commit cannot be had, [`VerifierError::DoesNotApply`] if `landed` changed a path
    /// that no change set can name, [`VerifierError::Unavailable`] also if `landed` has no parent.
    async fn invert(&self, branch: &BranchName, landed: &CommitSha, base: &CommitSha)
    -> Result<Inverse, VerifierError>;

    /// Which of these paths differ between two commits of the base branch, in order. One that is on neither does not differ.
    ///
    /// # Errors
    /// [`VerifierError::BaseMissing`] if either commit cannot be had.
    async fn changed_between(
        &self,
        branch: &BranchName,
        from: &CommitSha,
        to: &CommitSha,
        paths: &[RepoPath],
    ) -> Result<Vec<RepoPath>, VerifierError>;

    /// Runs the stages on a candidate that was prepared, in a fresh worktree of their own, in order, until one does not pass.
    /// Answers one report for each stage that ran, the last of which may not have passed. The worktree is gone afterwards,
    /// also when the future is dropped.
    ///
    /// # Errors
    /// [`VerifierError::Unavailable`] if the worktree could not be made; [`VerifierError::WallsMissing`] before any stage runs.
    async fn run_stages(
        &self,
        run: &RunId,
        candidate: &Candidate,
        stages: &[StageRules],
    ) -> Result<Vec<StageReport>, VerifierError>;
}
