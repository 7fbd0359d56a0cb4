//! A source, a room and a verifier between them.

use std::path::{Path, PathBuf};

use selfext_domain::ports::{Verifier as _, VerifierError};
use selfext_domain::{Candidate, ChangeSet, CommitSha, FileChange, Inverse, RepoPath, StageReport, StageRules};
use tempfile::TempDir;

use super::change::{change, change_of, main_branch, run_id};
use super::process::living;
use super::{SourceRepository, VerifierWorld};

/// What every case begins with. Gone with the value.
pub(super) struct Scene<W: VerifierWorld> {
    pub(super) source: SourceRepository,
    pub(super) verifier: W::Verifier,
    /// The tip of `main` when the scene was set.
    pub(super) base: CommitSha,
    place: TempDir,
}

impl<W: VerifierWorld> Scene<W> {
    pub(super) fn set() -> Self {
        let place = TempDir::new().expect("a temporary folder");
        let source = SourceRepository::make(&place.path().join("source"));
        let verifier = W::verifier(source.folder(), &place.path().join("room"));
        Self { base: source.head(), source, verifier, place }
    }

    /// A folder of this scene that is neither the source nor the verifier's.
    pub(super) fn place(&self) -> &Path {
        self.place.path()
    }

    pub(super) fn room(&self) -> PathBuf {
        self.place.path().join("room")
    }

    /// Sees that nothing lives on of any stage.
    pub(super) fn assert_quiet(&self) {
        let living = living(&self.room());
        assert!(living.is_empty(), "{living:?}");
    }

    /// Another verifier over the same source and room.
    pub(super) fn another_verifier(&self) -> W::Verifier {
        W::verifier(self.source.folder(), &self.room())
    }

    pub(super) async fn try_prepare(&self, change: &ChangeSet) -> Result<Candidate, VerifierError> {
        self.verifier.prepare(&main_branch(), &self.base, change).await
    }

    pub(super) async fn prepare(&self, change: &ChangeSet) -> Candidate {
        self.try_prepare(change).await.expect("the change applies")
    }

    /// The paths that a change is refused for.
    pub(super) async fn refusal(&self, change: &ChangeSet) -> Vec<RepoPath> {
        match self.try_prepare(change).await {
            Err(VerifierError::DoesNotApply { detail, paths }) => {
                assert!(paths.iter().any(|path| detail.contains(path.as_str())), "{detail}");
                paths
            }
            other => panic!("{change:?} is not refused but {other:?}"),
        }
    }

    pub(super) async fn try_invert(&self, landed: &CommitSha, base: &CommitSha) -> Result<Inverse, VerifierError> {
        self.verifier.invert(&main_branch(), landed, base).await
    }

    pub(super) async fn invert(&self, landed: &CommitSha, base: &CommitSha) -> Inverse {
        self.try_invert(landed, base).await.expect("there is an inverse")
    }

    /// What takes a commit back without a conflict, on a base.
    pub(super) async fn taken_back(&self, landed: &CommitSha, base: &CommitSha) -> Candidate {
        let inverse = self.invert(landed, base).await;
        assert_eq!(inverse.conflicts, []);
        self.on(base, inverse.files).await
    }

    /// The files on a base.
    pub(super) async fn on(
        &self,
        base: &CommitSha,
        files: impl IntoIterator<Item = (RepoPath, FileChange)>,
    ) -> Candidate {
        let change = files.into_iter().fold(change(), |change, (path, file)| change.file(path, file));
        let change = change.build().expect("a legal change set");
        self.verifier.prepare(&main_branch(), base, &change).await.expect("the change applies")
    }

    /// A candidate for cases that are about its stages.
    pub(super) async fn candidate(&self) -> Candidate {
        self.prepare(&change_of(&[("new", Some("new\n"))])).await
    }

    pub(super) async fn run(&self, candidate: &Candidate, stages: &[StageRules]) -> Vec<StageReport> {
        let reports = self.verifier.run_stages(&run_id("run-1"), candidate, stages).await;
        reports.expect("the stages can be run")
    }

    /// Runs one stage on some candidate.
    pub(super) async fn run_one(&self, stage: StageRules) -> StageReport {
        let candidate = self.candidate().await;
        self.run(&candidate, &[stage]).await.pop().expect("a report")
    }
}
