//! The port, on git worktrees.

use std::path::absolute;

use async_trait::async_trait;
use selfext_domain::ports::{Verifier, VerifierError};
use selfext_domain::{BranchName, Candidate, ChangeSet, CommitSha, Inverse, RepoPath, RunId, StageReport, StageRules};

use crate::cache::{Cache, ObjectFormat};
use crate::git::Git;
use crate::prepared::Store;
use crate::stage::{Ground, ReadPlaces, Stages};
use crate::{VerifierConfig, candidate, inverse};

/// Verifies change sets with git worktrees on this machine.
///
/// Nothing is touched before the first call. Base commits and candidates stay in the cache, so that a later call with the same
/// base fetches nothing; the source may be rewritten in between. Every call may be repeated and dropped at any time; calls
/// may run at once, in one process and in several. It needs a tokio runtime with time and I/O.
#[derive(Debug)]
pub struct WorktreeVerifier {
    cache: Cache,
    prepared: Store,
    stages: Stages,
}

impl WorktreeVerifier {
    /// A verifier that works as configured.
    #[must_use]
    pub fn new(config: VerifierConfig) -> Self {
        let VerifierConfig { source, cache, git, environment, read_paths, without, fetch_timeout } = config;
        let git = Git::new(git, environment.path().to_owned());
        // git and the stages run in folders of their own, from where a relative path would lead elsewhere.
        let folder = absolute(&cache).unwrap_or(cache);
        let places = ReadPlaces::new(&environment.found(), environment.home(), &folder, &read_paths);
        let stages = Stages::new(environment, places, without);
        let cache = Cache::new(git, source, folder, fetch_timeout);
        Self { prepared: Store::new(cache.prepared()), cache, stages }
    }
}

#[async_trait]
impl Verifier for WorktreeVerifier {
    async fn read_file(
        &self,
        branch: &BranchName,
        base: &CommitSha,
        path: &RepoPath,
    ) -> Result<Option<Vec<u8>>, VerifierError> {
        self.cache.read_file(branch, base, path).await
    }

    async fn prepare(
        &self,
        branch: &BranchName,
        base: &CommitSha,
        change: &ChangeSet,
    ) -> Result<Candidate, VerifierError> {
        let found = self.cache.base(branch, base).await?;
        candidate::build(found, base, change, &self.cache.runs()).await
    }

    async fn invert(
        &self,
        branch: &BranchName,
        landed: &CommitSha,
        base: &CommitSha,
    ) -> Result<Inverse, VerifierError> {
        let found = self.cache.two(branch, landed, base).await?;
        inverse::build(found, landed, &self.cache.runs()).await
    }

    async fn changed_between(
        &self,
        branch: &BranchName,
        from: &CommitSha,
        to: &CommitSha,
        paths: &[RepoPath],
    ) -> Result<Vec<RepoPath>, VerifierError> {
        self.cache.changed_between(branch, from, to, paths).await
    }

    async fn run_stages(
        &self,
        run: &RunId,
        candidate: &Candidate,
        stages: &[StageRules],
    ) -> Result<Vec<StageReport>, VerifierError> {
        let repository = self.cache.repository(ObjectFormat::of(candidate.base.as_str())).await?;
        let ground = Ground { repository: &repository, runs: &self.cache.runs(), prepared: &self.prepared };
        self.stages.run(ground, run, candidate, stages).await
    }
}
