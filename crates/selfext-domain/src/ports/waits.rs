//! The port of waits: what people see of a promotion that waits.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::LedgerError;
use crate::RunId;

/// A promotion that waits, as its process said when it began to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The run.
    pub run: RunId,
    /// The process.
    pub holder: String,
    /// What for: the end of a sentence that begins with "waits for".
    pub what: String,
    /// Since when, by the database's clock.
    pub since: DateTime<Utc>,
    /// When it is over at the latest, by the database's clock. A process that was killed is not known to be before that.
    pub until: DateTime<Utc>,
}

/// Waits, beside the ledger, by the database's clock. They are for people alone: nothing is decided by them, and any may be lost.
/// They show in [`Overview::waits`](super::Overview::waits).
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Waits: Send + Sync {
    /// Says that a process waits in a run for something, for this time at most. It takes the place of what the same process said of
    /// the same run before; the same wait that goes on keeps its beginning. One round trip. May be repeated.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`], and then it is not known whether it was said; [`LedgerError::Refused`].
    async fn begin(&self, run: &RunId, holder: &str, what: &str, time: Duration) -> Result<(), LedgerError>;

    /// Says that it waits no more. One round trip. May be repeated.
    ///
    /// # Errors
    /// As [`Waits::begin`].
    async fn end(&self, run: &RunId, holder: &str) -> Result<(), LedgerError>;
}
