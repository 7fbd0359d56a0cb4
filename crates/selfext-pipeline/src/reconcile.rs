//! Settling what nobody waits for any more.

use selfext_domain::{PermitTerms, RunId, redact};

use crate::follow::Followed;
use crate::journal::{Journal, Stop};
use crate::promote::MAX_DRIVES;
use crate::settle::Settled;
use crate::{Ending, Observer, Outcome, Pipeline, PromoteError};

/// What reconciling one open run gave.
#[derive(Debug)]
pub enum Reconciled {
    /// It is known how the run stands now.
    Settled(Outcome),
    /// It has no merge under way. It goes on when its change set is promoted again, or ends when an operator abandons it.
    Waiting(RunId),
    /// It could not be settled now.
    Failed {
        /// The run.
        run: RunId,
        /// Why.
        error: PromoteError,
    },
}

impl Pipeline {
    /// Settles every open run of this pipeline's repository and base whose merge is under way: asks the forge, records what
    /// landed, tries again under the same permit, fences what is past its deadline. May be repeated, and run by several
    /// processes at once.
    ///
    /// # Errors
    /// [`PromoteError::Ledger`] if the open runs could not be listed.
    pub async fn reconcile(&self, observer: &dyn Observer) -> Result<Vec<Reconciled>, PromoteError> {
        let mut all = Vec::new();
        for run in self.ports.ledger.open_runs().await? {
            match self.reconcile_run(&run, observer).await {
                Ok(Some(reconciled)) => all.push(reconciled),
                Ok(None) => {}
                Err(error) => all.push(Reconciled::Failed { run, error }),
            }
        }
        Ok(all)
    }

    /// What a process does at its start with the merges into this base that an earlier life, or another process, left open:
    /// records what landed, finishes fences, and fences what is past its deadline. A merge that is in time is left to its
    /// holder. Where none is open, it costs one look into the ledger. May be repeated, and run by several processes at once.
    ///
    /// # Errors
    /// [`PromoteError`] if the ledger could not be read or written. A forge that does not answer leaves a merge in doubt.
    pub async fn recover(&self, observer: &dyn Observer) -> Result<(), PromoteError> {
        for terms in self.open_permits().await? {
            self.settle_run(&terms.run, observer).await?;
        }
        Ok(())
    }

    /// Settles the merges into this base whose permits nobody used in time, so that they do not stand in the way for ever. Says
    /// whether one is under way that is in time.
    pub(crate) async fn settle_overdue(&self, observer: &dyn Observer) -> Result<bool, PromoteError> {
        let open = self.open_permits().await?;
        if open.is_empty() {
            return Ok(false);
        }
        let now = self.ports.ledger.time().await?;
        for terms in open.iter().filter(|terms| terms.deadline < now) {
            self.settle_run(&terms.run, observer).await?;
        }
        Ok(open.iter().any(|terms| terms.deadline >= now))
    }

    async fn open_permits(&self) -> Result<Vec<PermitTerms>, PromoteError> {
        let mut open = self.ports.ledger.open_permits().await?;
        open.retain(|terms| terms.repository == self.config.repository && terms.base == self.config.base);
        Ok(open)
    }

    async fn settle_run(&self, run: &RunId, observer: &dyn Observer) -> Result<(), PromoteError> {
        let mut journal = Journal::open(&self.ports, run).await?;
        if !journal.run().phase().may_merge() {
            return Ok(());
        }
        match self.settle(&mut journal, observer).await {
            Err(Stop::Error(error)) | Ok(Settled::Ended(Stop::Error(error))) => Err(error),
            // Another process was faster, or it is known how the run stands, be it that it is in doubt.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Makes sure now that a run's open merge can never happen, or finds that it has: see [`Ending::Promoted`] and the reason
    /// `merge-fenced` in the outcome. Promotion may be paused: a fence only takes away. A run without an open merge is left as
    /// it is, and the outcome says how it stands. May be repeated, and run by several processes at once.
    ///
    /// # Errors
    /// [`PromoteError::NoRun`], [`PromoteError::OtherRepository`]; [`PromoteError::Ledger`] if it could not be recorded, and then
    /// nothing was done.
    pub async fn fence_merge(&self, run: &RunId, why: &str, observer: &dyn Observer) -> Result<Outcome, PromoteError> {
        for _ in 0..3 {
            let mut journal = self.open_here(run).await?;
            if !journal.run().phase().may_merge() {
                let waiting = Ending::InDoubt { detail: "it has no merge under way; nothing was fenced".to_owned() };
                return Ok(
                    Outcome::of(journal.run(), true).unwrap_or_else(|| Outcome::new(journal.run(), waiting, None))
                );
            }
            match self.fence(&mut journal, &redact(why), observer).await.unwrap_or_else(|stop| stop) {
                Stop::Ended(outcome) => return Ok(*outcome),
                Stop::Error(error) => return Err(error),
                Stop::Overtaken | Stop::Again => {}
            }
        }
        Err(PromoteError::Contended(run.clone()))
    }

    /// Reads a run whose pull request is to be touched: the one of that number in another repository is somebody else's.
    pub(crate) async fn open_here(&self, run: &RunId) -> Result<Journal<'_>, PromoteError> {
        let journal = Journal::open(&self.ports, run).await?;
        let repository = &journal.run().subject().repository;
        if *repository != self.config.repository {
            return Err(PromoteError::OtherRepository { run: run.clone(), repository: repository.clone() });
        }
        Ok(journal)
    }

    async fn reconcile_run(&self, run: &RunId, observer: &dyn Observer) -> Result<Option<Reconciled>, PromoteError> {
        let mut journal = Journal::open(&self.ports, run).await?;
        let subject = journal.run().subject();
        if subject.repository != self.config.repository || subject.base != self.config.base {
            return Ok(None);
        }
        for _ in 0..MAX_DRIVES {
            if !journal.run().phase().may_merge() {
                let outcome = Outcome::of(journal.run(), true).filter(|_| !journal.run().phase().is_open());
                let waiting = || Reconciled::Waiting(run.clone());
                return Ok(Some(outcome.map_or_else(waiting, Reconciled::Settled)));
            }
            match self.follow_merge(&mut journal, observer).await.unwrap_or_else(|stop| stop) {
                Stop::Ended(outcome) => return Ok(Some(Reconciled::Settled(*outcome))),
                Stop::Error(error) => return Err(error),
                Stop::Again => journal = Journal::open(&self.ports, run).await?,
                // Another process settles it, or took it over to go on with it.
                Stop::Overtaken => match self.follow(run, observer).await? {
                    Followed::Ended(outcome) => return Ok(Some(Reconciled::Settled(*outcome))),
                    Followed::Stalled(stalled) => journal = Journal::new(&self.ports, *stalled),
                },
            }
        }
        Err(PromoteError::Contended(run.clone()))
    }
}
