//! The port of auditors: the ledger as it is stored, and the checkpoints that seal it.

use async_trait::async_trait;

use super::{LedgerError, LedgerRows};
use crate::Position;

/// A checkpoint as it is stored, unverified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// How many events it seals.
    pub size: u64,
    /// Where the last of them stands.
    pub position: Position,
    /// What is needed to go on from there without reading them again.
    pub frontier: String,
    /// The signed note.
    pub note: String,
}

/// The ledger as it is stored, and the checkpoints that seal it. Nothing that it gives is verified: that is its caller's work.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Archive: Send + Sync {
    /// Up to `limit` rows behind a position, in the order of positions: those before which nothing can appear any more. A row
    /// that stands at no position, because its numbers are none, is a [contradiction](Self::contradictions). One round trip.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`], [`LedgerError::Refused`], or [`LedgerError::Corrupt`] for what is no row of the ledger.
    async fn rows_after(&self, position: Position, limit: u32) -> Result<LedgerRows, LedgerError>;

    /// Up to `limit` checkpoints of more than `size` events, the smallest first. One round trip.
    ///
    /// # Errors
    /// As [`Archive::rows_after`].
    async fn checkpoints_after(&self, size: u64, limit: u32) -> Result<Vec<StoredCheckpoint>, LedgerError>;

    /// The checkpoint of the most events. One round trip.
    ///
    /// # Errors
    /// As [`Archive::rows_after`].
    async fn last_checkpoint(&self) -> Result<Option<StoredCheckpoint>, LedgerError>;

    /// Adds a checkpoint behind the one of `after` events (0: there is none). Durable when it returns. Answers `false`, and adds
    /// nothing, if the last one is another by now. One round trip.
    ///
    /// # Errors
    /// [`LedgerError::Refused`] if it does not follow the last one, or seals what is not there or may not be all.
    async fn add_checkpoint(&self, checkpoint: &StoredCheckpoint, after: u64) -> Result<bool, LedgerError>;

    /// What the database keeps at hand beside the ledger and does not follow from it: the open runs and their permits, those that
    /// hold others back, the baselines, and the promotion control; and events that stand at no position, which whoever reads in
    /// order misses or stops at. One sentence each; none if all is as the ledger says.
    ///
    /// # Errors
    /// As [`Archive::rows_after`].
    async fn contradictions(&self) -> Result<Vec<String>, LedgerError>;
}
