//! An operator has seen that a rollback failed, and frees promotion.

use selfext_domain::ports::{IdSource as _, LedgerError};
use selfext_domain::{
    FoldError, IllegalEvent, OperatorName, Phase, RecordedEvent, RollbackAcknowledged, Run, RunId, redact,
};

use crate::Operations;
use crate::edge::UuidSource;

/// How often it is written anew because others wrote to the run in between.
const TRIES: u32 = 5;

/// Why a failed rollback was not acknowledged. Nothing was written, unless the ledger did not answer.
#[derive(Debug, thiserror::Error)]
pub enum AcknowledgeError {
    /// There is no such run.
    #[error("there is no run {0}; `selfext status` lists the latest")]
    NoRun(RunId),
    /// It is a rollback itself. What is acknowledged is that another run could not be taken back.
    #[error("the run {run} takes back the run {of}; acknowledge that one")]
    IsRollback {
        /// The run.
        run: RunId,
        /// The run that it takes back.
        of: RunId,
    },
    /// Its rollback did not fail.
    #[error("the run {run} is {phase}: {}", advice(*.phase))]
    NothingToAcknowledge {
        /// The run.
        run: RunId,
        /// How it stands.
        phase: Phase,
    },
    /// Others wrote to it faster than this call could follow.
    #[error("other processes write to the run {0} all the time; try again")]
    Contended(RunId),
    /// The ledger could not be read or written. If it did not answer, it is not known whether it was recorded; acknowledge it
    /// again.
    #[error("the ledger could not be read or written")]
    Ledger(#[from] LedgerError),
    /// The run's events are not the life of a run.
    #[error("the ledger's events of this run do not fit together; `selfext events --run` shows them")]
    Fold(#[from] FoldError),
    /// The event may not follow.
    #[error("the run's state does not allow that")]
    Illegal(#[from] IllegalEvent),
}

const fn advice(phase: Phase) -> &'static str {
    match phase {
        Phase::Sick | Phase::RollingBack => {
            "it is being taken back, and nothing failed yet; `selfext watch` or `selfext rollback` goes on with it"
        }
        Phase::Promoted => "nothing has failed yet; `selfext watch` decides whether it is healthy",
        Phase::RolledBack => "it was taken back, so there is nothing to acknowledge",
        _ => "no rollback of it failed, so there is nothing to acknowledge",
    }
}

impl Operations {
    /// Records that an operator has seen that a run could not be taken back, and has dealt with it: promotion is not held back by
    /// that run any more. What the run changed stays on the base branch, as far as nobody took it back by hand. May be repeated:
    /// what is acknowledged is not recorded twice, and the answer is `None`.
    ///
    /// # Errors
    /// [`AcknowledgeError::NothingToAcknowledge`] if no rollback of it failed; [`AcknowledgeError::Ledger`].
    pub async fn acknowledge(
        &self,
        run: &RunId,
        by: &OperatorName,
        reason: Option<&str>,
    ) -> Result<Option<RecordedEvent>, AcknowledgeError> {
        for _ in 0..TRIES {
            let events = self.ledger().stream_events(&run.clone().into()).await?;
            if events.is_empty() {
                return Err(AcknowledgeError::NoRun(run.clone()));
            }
            let folded = Run::fold(&events)?;
            match (folded.phase(), folded.rollback_of()) {
                (Phase::RollbackAcknowledged, _) => return Ok(None),
                (Phase::RollbackFailed, _) => {}
                (_, Some(of)) => return Err(AcknowledgeError::IsRollback { run: run.clone(), of: of.clone() }),
                (phase, None) => return Err(AcknowledgeError::NothingToAcknowledge { run: run.clone(), phase }),
            }
            let reason = reason.map(|reason| redact(reason).into_owned());
            let body = RollbackAcknowledged { by: by.clone(), reason };
            let event = folded.next_event(UuidSource.event_id(), body.into())?;
            match self.ledger().append(&event, folded.tip()).await {
                Ok(recorded) => return Ok(Some(recorded)),
                Err(LedgerError::Conflict { .. } | LedgerError::Diverged { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(AcknowledgeError::Contended(run.clone()))
    }
}
