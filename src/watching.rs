//! Watching what landed from outside of the agent, and taking it back.

use selfext_domain::ports::{LedgerError, VerifierError};
use selfext_domain::{BranchName, CommitSha, Heartbeat, Refusal, RepoPath, RepositoryName, RunId};
use selfext_pipeline::{Observer, PromoteError, RollbackOutcome, RollbackPlan, WatchConfig, Watchdog};

use crate::probe::Look;
use crate::{Operations, Probe, Selfext};

impl Selfext {
    /// A watchdog over this repository and base branch: it judges health windows by the heartbeats that were recorded, and takes back
    /// what turned out sick. Nothing is done before its first [`Watchdog::tick`].
    ///
    /// It belongs into a process that a bad change cannot end: `selfext watch` is one, the agent itself is not. Several may run at
    /// once, on several machines: one has the lease and acts.
    #[must_use]
    pub fn watchdog(&self, config: WatchConfig) -> Watchdog {
        let (heartbeats, leases) = (self.heartbeats.clone(), self.leases.clone());
        Watchdog::new(self.pipeline.clone(), heartbeats, leases, config)
    }

    /// Takes a landed change back now, whatever its health, or goes on with a rollback that is under way. It is a run of its own,
    /// with verification, pull request, gate and permit; what others changed since is kept. It obeys a pause, unless that allows
    /// rollbacks. May be repeated, after a crash or a refusal, and by several processes at once.
    ///
    /// # Errors
    /// [`PromoteError::NotLanded`], [`PromoteError::IsRollback`], [`PromoteError::NoRun`], [`PromoteError::OtherRepository`],
    /// [`PromoteError::OtherBase`]; others only where it is not known how the runs stand, or the ledger could not record the next
    /// step. Refusals and failures are outcomes.
    pub async fn roll_back(
        &self,
        run: &RunId,
        why: &str,
        observer: &dyn Observer,
    ) -> Result<RollbackOutcome, PromoteError> {
        self.pipeline.roll_back(run, why, observer).await
    }

    /// What [`Selfext::roll_back`] would do now, and what it would have to pass. Writes nothing; may be repeated.
    ///
    /// # Errors
    /// As [`Selfext::roll_back`]. The inner error is a refusal: what would be needed for it cannot be read now.
    pub async fn plan_rollback(&self, run: &RunId) -> Result<Result<RollbackPlan, Refusal>, PromoteError> {
        self.pipeline.plan_rollback(run).await
    }

    /// A file of a commit of the base branch; `None` if it is not there, or no regular file. Changes nothing; may be repeated.
    ///
    /// # Errors
    /// [`VerifierError`] if the commit cannot be had.
    pub async fn file_on_base(&self, commit: &CommitSha, path: &RepoPath) -> Result<Option<Vec<u8>>, VerifierError> {
        self.verifier.read_file(self.base(), commit, path).await
    }
}

impl Operations {
    /// Looks at an agent once, and records what it says as a heartbeat, if it says which commit runs. May be dropped at any moment,
    /// and repeated.
    ///
    /// # Errors
    /// As [`Operations::heartbeat`].
    pub async fn look(
        &self,
        probe: &Probe,
        repository: &RepositoryName,
        base: &BranchName,
    ) -> Result<Look, LedgerError> {
        let look = probe.look().await;
        if let Look::Seen { commit, healthy, detail } = &look {
            let heartbeat = Heartbeat {
                repository: repository.clone(),
                base: base.clone(),
                commit: commit.clone(),
                healthy: *healthy,
                reporter: probe.reporter().clone(),
                detail: detail.clone(),
            };
            self.heartbeat(&heartbeat).await?;
        }
        Ok(look)
    }
}
