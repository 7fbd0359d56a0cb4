//! Settling what nobody waits for any more.

use selfext_domain::RunId;

use crate::journal::{Journal, Stop};
use crate::{Observer, Outcome, Pipeline, PromoteError};

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

    async fn reconcile_run(&self, run: &RunId, observer: &dyn Observer) -> Result<Option<Reconciled>, PromoteError> {
        let mut journal = Journal::open(&self.ports, run).await?;
        let subject = journal.run().subject();
        if subject.repository != self.config.repository || subject.base != self.config.base {
            return Ok(None);
        }
        if !journal.run().phase().may_merge() {
            return Ok(Some(Reconciled::Waiting(run.clone())));
        }
        match self.follow_merge(&mut journal, observer).await.unwrap_or_else(|stop| stop) {
            Stop::Ended(outcome) => Ok(Some(Reconciled::Settled(*outcome))),
            Stop::Error(error) => Err(error),
            Stop::Overtaken | Stop::Again => {
                let journal = Journal::open(&self.ports, run).await?;
                Ok(Some(
                    Outcome::of(journal.run(), true)
                        .map_or_else(|| Reconciled::Waiting(run.clone()), Reconciled::Settled),
                ))
            }
        }
    }
}
