//! The port of heartbeats.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::LedgerError;
use crate::{BranchName, HealthSample, Heartbeat, RepositoryName};

/// Heartbeats, beside the ledger: what is judged of them is in the ledger, they themselves may be forgotten.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Heartbeats: Send + Sync {
    /// Records a heartbeat at the time of the database's clock, which it answers. One round trip. A repetition is another
    /// heartbeat.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`], and then it is not known whether it was recorded; [`LedgerError::Refused`].
    async fn record(&self, heartbeat: &Heartbeat) -> Result<DateTime<Utc>, LedgerError>;

    /// All samples of an agent that were recorded at or after a time, in the order of their times. One round trip.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] if one cannot be read; [`LedgerError::Unavailable`], [`LedgerError::Refused`].
    async fn samples(
        &self,
        repository: &RepositoryName,
        base: &BranchName,
        since: DateTime<Utc>,
    ) -> Result<Vec<HealthSample>, LedgerError>;

    /// Forgets the heartbeats of an agent that are older than `keep`, but none recorded since the oldest open window of it began.
    /// Answers how many. May be repeated.
    ///
    /// # Errors
    /// As [`Heartbeats::record`].
    async fn forget(&self, repository: &RepositoryName, base: &BranchName, keep: Duration) -> Result<u64, LedgerError>;
}
