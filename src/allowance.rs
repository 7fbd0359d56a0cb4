//! An operator allows one change set, once, by name.

use selfext_domain::ports::{IdSource as _, LedgerError};
use selfext_domain::{Allowable, FoldError, IllegalEvent, NotAllowable, OperatorName, RecordedEvent, Run, RunId};

use crate::Operations;
use crate::edge::UuidSource;
use crate::operations::os_user;

/// How often an allowance is written anew because others wrote to the run in between.
const TRIES: u32 = 5;

/// What allowing a run gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// What is allowed.
    pub allowed: Allowable,
    /// The event that records it; `None` if all of it was allowed before, so that nothing was written.
    pub event: Option<RecordedEvent>,
}

/// Why a run was not allowed. Nothing was written, unless the ledger did not answer.
#[derive(Debug, thiserror::Error)]
pub enum AllowError {
    /// There is no such run.
    #[error("there is no run {0}; `selfext status` lists the latest")]
    NoRun(RunId),
    /// It is not blocked by protected paths.
    #[error(transparent)]
    NotAllowable(#[from] NotAllowable),
    /// It was blocked again in between, for other paths than were shown.
    #[error("the run {} was blocked for other paths in between, which were not shown; look at them and allow it again", .0.run())]
    OtherPaths(Box<Allowable>),
    /// Others wrote to it faster than this call could follow.
    #[error("other processes write to the run {0} all the time; try again")]
    Contended(RunId),
    /// The ledger could not be read or written. If it did not answer, it is not known whether the allowance was recorded; allow
    /// it again.
    #[error("the ledger could not be read or written")]
    Ledger(#[from] LedgerError),
    /// The run's events are not the life of a run.
    #[error("the ledger's events of this run do not fit together; `selfext events --run` shows them")]
    Fold(#[from] FoldError),
    /// The event may not follow.
    #[error("the run's state does not allow that")]
    Illegal(#[from] IllegalEvent),
}

impl Operations {
    /// What an operator may allow a run: the protected paths that it is blocked for. Writes nothing; may be repeated.
    ///
    /// # Errors
    /// [`AllowError::NoRun`]; [`AllowError::NotAllowable`] if it is not blocked by `protected-path`.
    pub async fn allowable(&self, run: &RunId) -> Result<Allowable, AllowError> {
        Ok(self.read_run(run).await?.allowable()?)
    }

    /// Allows a run to touch the protected paths that an operator was shown, and records it as `change_allowed`. It holds for
    /// this run, this content and these paths: the run goes on when the same change set is promoted again; a path that the base
    /// protects later blocks it again; a later run of the same content is not allowed. The change is verified and gated as any
    /// other.
    ///
    /// May be repeated: what is allowed already is not recorded twice. If others wrote to the run since it was read, it is
    /// allowed all the same as long as nothing is asked for that `shown` does not show.
    ///
    /// # Errors
    /// [`AllowError::OtherPaths`] if it was blocked for other paths in between; [`AllowError::NotAllowable`] if it is not blocked
    /// any more; [`AllowError::Ledger`].
    pub async fn allow(
        &self,
        shown: &Allowable,
        by: &OperatorName,
        reason: Option<&str>,
    ) -> Result<Allowance, AllowError> {
        for _ in 0..TRIES {
            let run = self.read_run(shown.run()).await?;
            let allowed = run.allowable()?;
            if !allowed.is_within(shown) {
                return Err(AllowError::OtherPaths(Box::new(allowed)));
            }
            if allowed.is_already_allowed() {
                return Ok(Allowance { allowed, event: None });
            }
            let body = allowed.by(by, reason, os_user());
            let event = run.next_event(UuidSource.event_id(), body.into())?;
            match self.ledger().append(&event, run.tip()).await {
                Ok(recorded) => return Ok(Allowance { allowed, event: Some(recorded) }),
                Err(LedgerError::Conflict { .. } | LedgerError::Diverged { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(AllowError::Contended(shown.run().clone()))
    }

    async fn read_run(&self, run: &RunId) -> Result<Run, AllowError> {
        let events = self.ledger().stream_events(&run.clone().into()).await?;
        if events.is_empty() {
            return Err(AllowError::NoRun(run.clone()));
        }
        Ok(Run::fold(&events)?)
    }
}
