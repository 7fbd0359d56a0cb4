//! Exit codes, as the help and the README list them.

use std::process::ExitCode;

use selfext::{AcknowledgeError, AllowError, Ending, OpenError, Outcome, PromoteError, RollbackEnding, StoreError};

/// How a command ended, for whoever called it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// The run is over without having landed, or something went wrong.
    Failed = 1,
    /// The command line or its input is wrong.
    Usage = 2,
    /// May be promoted again later.
    Blocked = 3,
    /// A stage did not pass.
    VerificationFailed = 4,
    /// The merge may have happened, or may yet.
    InDoubt = 5,
    /// An audit found an event that is not what was written.
    Edited = 10,
    /// … that events are gone.
    Missing = 11,
    /// … an event behind one that was written after it.
    Reordered = 12,
    /// … events that fit together and are not what was sealed, or nothing that selfext writes.
    Forged = 13,
    /// … that the ledger ends before its last seal.
    CutOff = 14,
    /// … that what is kept beside the ledger contradicts it.
    Contradicted = 15,
    /// … nothing wrong, but could not judge everything.
    Unjudged = 16,
}

impl Exit {
    pub const fn of(outcome: &Outcome) -> Self {
        match outcome.ending {
            Ending::Promoted { .. } => Self::Done,
            Ending::Blocked(_) => Self::Blocked,
            Ending::VerificationFailed { .. } => Self::VerificationFailed,
            Ending::Failed(_) | Ending::Abandoned | Ending::RolledBack { .. } => Self::Failed,
            Ending::InDoubt { .. } => Self::InDoubt,
        }
    }

    pub const fn of_rollback(ending: &RollbackEnding) -> Self {
        match ending {
            RollbackEnding::RolledBack { .. } => Self::Done,
            RollbackEnding::Waiting(_) => Self::Blocked,
            RollbackEnding::InDoubt { .. } => Self::InDoubt,
            RollbackEnding::Failed(_) => Self::Failed,
        }
    }

    /// Tells what was typed wrongly from what went wrong later.
    pub fn of_error(error: &anyhow::Error) -> Self {
        let of_input = error.chain().any(|cause| {
            cause.is::<UsageError>()
                || matches!(cause.downcast_ref(), Some(StoreError::Parameters { .. }))
                || matches!(cause.downcast_ref(), Some(OpenError::Forge(_) | OpenError::GitUrl(_)))
                || matches!(
                    cause.downcast_ref(),
                    Some(
                        PromoteError::RunTaken(_)
                            | PromoteError::NoRun(_)
                            | PromoteError::OtherRepository { .. }
                            | PromoteError::OtherBase { .. }
                            | PromoteError::IsRollback(_)
                            | PromoteError::NotLanded { .. }
                    )
                )
                || matches!(cause.downcast_ref(), Some(AllowError::NoRun(_)))
                || matches!(
                    cause.downcast_ref(),
                    Some(AcknowledgeError::NoRun(_) | AcknowledgeError::IsRollback { .. })
                )
        });
        if of_input { Self::Usage } else { Self::Failed }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error in what was typed or read, told apart from what went wrong later.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// As an error of a function that answers with `anyhow`.
pub fn usage(words: impl Into<String>) -> anyhow::Error {
    UsageError(words.into()).into()
}
