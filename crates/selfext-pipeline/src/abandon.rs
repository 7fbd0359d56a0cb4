//! An operator ends a run.

use selfext_domain::{OperatorName, RunAbandoned, RunId, redact};

use crate::journal::{Journal, Stop};
use crate::{Ending, Observer, Outcome, Pipeline, PromoteError};

impl Pipeline {
    /// Ends an open run: records it, closes its pull request and deletes its branch. A merge that may still arrive is fenced
    /// off first; if it has happened, the run is `promoted` and the outcome says so. Abandoning a run that is over changes
    /// nothing and answers how it stands. May be repeated.
    ///
    /// # Errors
    /// [`PromoteError::NoRun`], [`PromoteError::OtherRepository`]; [`PromoteError::Ledger`] if it could not be recorded, and then nothing was done.
    pub async fn abandon(
        &self,
        run: &RunId,
        by: &OperatorName,
        reason: Option<&str>,
        observer: &dyn Observer,
    ) -> Result<Outcome, PromoteError> {
        for _ in 0..3 {
            let mut journal = self.open_here(run).await?;
            if !journal.run().phase().is_open()
                && let Some(outcome) = Outcome::of(journal.run(), true)
            {
                return Ok(outcome);
            }
            match self.end_run(&mut journal, by, reason, observer).await.unwrap_or_else(|stop| stop) {
                Stop::Ended(outcome) => return Ok(*outcome),
                Stop::Error(error) => return Err(error),
                Stop::Overtaken | Stop::Again => {}
            }
        }
        Err(PromoteError::Contended(run.clone()))
    }

    async fn end_run(
        &self,
        journal: &mut Journal<'_>,
        by: &OperatorName,
        reason: Option<&str>,
        observer: &dyn Observer,
    ) -> Result<Stop, Stop> {
        if journal.run().phase().may_merge()
            && let Some(commit) = self.fence_off(journal, &format!("abandoned by {by}")).await?
        {
            return self.land(journal, commit, observer).await;
        }
        let reason = reason.map(|reason| redact(reason).into_owned());
        journal.record(RunAbandoned { by: by.clone(), reason }, None).await?;
        self.retire(journal, observer).await;
        Ok(journal.end(Ending::Abandoned))
    }
}
