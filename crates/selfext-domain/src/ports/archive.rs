//! The port of auditors: the ledger as it is stored, and the checkpoints that seal it.

use async_trait::async_trait;

use super::LedgerError;
use crate::Position;

/// One row of the ledger as it is stored, unverified. Texts have the escapes of the canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the columns of the ledger's table")]
pub struct LedgerRow {
    pub position: Position,
    pub sequence: i64,
    pub content: String,
    pub content_hash: Vec<u8>,
    pub prev_hash: Vec<u8>,
    pub hash: Vec<u8>,
    /// As the database wrote it, in UTC.
    pub created_at: String,
    pub written_by: String,
    pub event_id: String,
    pub run_id: String,
    pub correlation_id: String,
    pub stage: String,
    pub event_type: String,
    pub actor_source: String,
    pub tool_name: Option<String>,
    pub tool_call_id: Option<String>,
    pub goal_id: Option<String>,
    pub cycle_id: Option<String>,
    pub sub_goal_id: Option<String>,
    pub repository: Option<String>,
    pub base: Option<String>,
    pub fingerprint: Option<String>,
    pub pull_request: Option<i64>,
}

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
    /// Up to `limit` rows behind a position, in the order of positions: those before which nothing can appear any more. One
    /// round trip.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`], [`LedgerError::Refused`], or [`LedgerError::Corrupt`] for a row whose numbers are none.
    async fn rows_after(&self, position: Position, limit: u32) -> Result<Vec<LedgerRow>, LedgerError>;

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

    /// What the database keeps at hand beside the ledger and does not follow from it: the open runs and their permits, and the
    /// promotion control. One sentence each; none if all is as the ledger says.
    ///
    /// # Errors
    /// As [`Archive::rows_after`].
    async fn contradictions(&self) -> Result<Vec<String>, LedgerError>;
}
