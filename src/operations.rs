//! What operators and auditors do: they need the ledger alone, no repository.

use selfext_domain::ports::{
    AcceptedHistory, ControlError, IdSource as _, LedgerError, PauseAnswer, PauseRequest, ResumeAnswer, ResumeRequest,
};
use selfext_domain::{ControlState, History, OperatorName, PermitTerms, Position, RecordedEvent, StreamId, redact};
use selfext_store::{DatabaseUrl, SchemaState, Store, StoreError};

use crate::edge::UuidSource;

/// How everything stands at one moment.
#[derive(Debug)]
pub struct Status {
    /// Whether promotion is paused. An error is to be taken for "paused".
    pub control: Result<ControlState, ControlError>,
    /// The merges that may happen at any moment.
    pub in_flight: Vec<PermitTerms>,
    /// The last event of each of the latest runs, the latest first.
    pub runs: Vec<RecordedEvent>,
}

/// What operators and auditors do.
#[derive(Clone)]
pub struct Operations {
    store: Store,
}

impl Operations {
    /// Opens a ledger. An `SQLite` file is made and brought to this version's schema; a Postgres database must be migrated.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be reached, is not migrated, or is of a later version.
    pub async fn open(database: &DatabaseUrl) -> Result<Self, StoreError> {
        Ok(Self { store: Store::connect(database).await? })
    }

    /// Brings a ledger's schema to this version, and answers how far it is then. May be repeated.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be reached, or its schema is of a later version.
    pub async fn migrate(database: &DatabaseUrl) -> Result<SchemaState, StoreError> {
        let store = Store::open(database).await?;
        store.migrate().await?;
        store.schema_state().await
    }

    /// Pauses promotion. When it answers that nothing is in flight, nothing of selfext's merges until [`Operations::resume`].
    ///
    /// # Errors
    /// [`ControlError::Unavailable`]: it is not known whether promotion is paused; pause again.
    pub async fn pause(
        &self,
        by: &OperatorName,
        reason: &str,
        allow_rollbacks: bool,
    ) -> Result<PauseAnswer, ControlError> {
        let request = PauseRequest {
            event: UuidSource.event_id(),
            by: by.clone(),
            reason: redact(reason).into_owned(),
            allow_rollbacks,
            os_user: os_user(),
        };
        self.store.control().pause(&request).await
    }

    /// Resumes promotion.
    ///
    /// # Errors
    /// [`ControlError::Missing`] and [`ControlError::Malformed`]: pause first, which writes the control anew.
    /// [`ControlError::HistoryChanged`]: see [`Operations::accept_history`].
    pub async fn resume(&self, by: &OperatorName, reason: Option<&str>) -> Result<ResumeAnswer, ControlError> {
        self.resume_with(by, reason, None).await
    }

    /// Resumes promotion on a database that has another history than the accepted one, because a standby was promoted or a
    /// copy restored, and accepts that history. The database may have lost a merge permit: [`Selfext::sweep`](crate::Selfext::sweep)
    /// first, for each repository, so that nothing of the lost part can merge.
    ///
    /// # Errors
    /// [`ControlError::HistoryChanged`] if the database's history is still another one. As [`Operations::resume`].
    pub async fn accept_history(
        &self,
        by: &OperatorName,
        reason: Option<&str>,
        history: History,
    ) -> Result<ResumeAnswer, ControlError> {
        self.resume_with(by, reason, Some(AcceptedHistory { event: UuidSource.event_id(), history })).await
    }

    async fn resume_with(
        &self,
        by: &OperatorName,
        reason: Option<&str>,
        accept: Option<AcceptedHistory>,
    ) -> Result<ResumeAnswer, ControlError> {
        let request = ResumeRequest {
            event: UuidSource.event_id(),
            by: by.clone(),
            reason: reason.map(|reason| redact(reason).into_owned()),
            os_user: os_user(),
            accept,
        };
        self.store.control().resume(&request).await
    }

    /// How everything stands, with the latest `limit` runs.
    ///
    /// # Errors
    /// [`LedgerError`] if the ledger cannot be read.
    pub async fn status(&self, limit: u32) -> Result<Status, LedgerError> {
        let control = self.store.control().read().await;
        let in_flight = self.store.ledger().open_permits().await?;
        let runs = self.store.ledger().recent_runs(limit).await?;
        Ok(Status { control, in_flight, runs })
    }

    /// All events of a stream.
    ///
    /// # Errors
    /// [`LedgerError`] if the ledger cannot be read.
    pub async fn stream_events(&self, stream: &StreamId) -> Result<Vec<RecordedEvent>, LedgerError> {
        self.store.ledger().stream_events(stream).await
    }

    /// Up to `limit` events behind a position, in an order that never changes.
    ///
    /// # Errors
    /// [`LedgerError`] if the ledger cannot be read.
    pub async fn events_after(&self, position: Position, limit: u32) -> Result<Vec<RecordedEvent>, LedgerError> {
        self.store.ledger().read_after(position, limit).await
    }
}

pub(crate) fn os_user() -> Option<String> {
    whoami::username().ok()
}
