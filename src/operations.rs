//! What operators and auditors do: they need the ledger alone, no repository.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use selfext_domain::ports::{
    AcceptedHistory, Archive, ControlError, EventQuery, Follower, Heartbeats, IdSource as _, Ledger, LedgerError,
    Overview, PauseAnswer, PauseRequest, ResumeAnswer, ResumeRequest, RunEntry, RunQuery,
};
use selfext_domain::{
    ControlState, EventBody, History, OperatorName, PermitTerms, Position, PromotionPauseChanged, RecordedEvent,
    RepositoryName, StreamId, redact,
};
use selfext_store::{DatabaseUrl, Migrated, SchemaState, Store, StoreError};

use crate::MergeEnd;
use crate::edge::UuidSource;

/// How long [`Operations::wait_for_merge`] waits between two looks.
const POLL: Duration = Duration::from_millis(500);

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

    pub(crate) fn archive(&self) -> Arc<dyn Archive> {
        self.store.archive()
    }

    pub(crate) fn heartbeats(&self) -> Arc<dyn Heartbeats> {
        self.store.heartbeats()
    }

    pub(crate) fn ledger(&self) -> Arc<dyn Ledger> {
        self.store.ledger()
    }

    /// Brings a ledger's schema to this version, and answers how far it is then, and whether the roles of agents and operators are
    /// missing. May be repeated.
    ///
    /// # Errors
    /// [`StoreError`] if the database cannot be reached, or its schema is of a later version.
    pub async fn migrate(database: &DatabaseUrl) -> Result<(SchemaState, Migrated), StoreError> {
        let store = Store::open(database).await?;
        let migrated = store.migrate().await?;
        Ok((store.schema_state().await?, migrated))
    }

    /// Pauses promotion; durable when it returns. If the answer's [`PauseAnswer::nothing_can_merge`] says so, nothing of selfext's
    /// merges until [`Operations::resume`], but for rollbacks where they are allowed. Otherwise the answer lists the merges
    /// that may still happen: [`Operations::wait_for_merge`] follows one to its end, [`Selfext::fence_merge`] makes sure that
    /// it cannot happen, and [`Operations::pause_again`] then tells whether nothing can merge any more. Each call is a
    /// pause of its own; pausing what is paused is harmless.
    ///
    /// # Errors
    /// [`ControlError::Unavailable`]: it is not known whether promotion is paused; pause again.
    ///
    /// [`Selfext::fence_merge`]: crate::Selfext::fence_merge
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

    /// Asks a pause's question again: how it stands now, at one moment. Records nothing, unless the database has lost the pause:
    /// then it is made again. May be repeated.
    ///
    /// # Errors
    /// [`ControlError::Unavailable`]. [`ControlError::IdReused`] if the answer is not of this ledger.
    pub async fn pause_again(&self, pause: &PauseAnswer) -> Result<PauseAnswer, ControlError> {
        let request = asked(&pause.event).ok_or(ControlError::IdReused(pause.event.event.id))?;
        self.store.control().pause(&request).await
    }

    /// Whether promotion is paused. May be repeated.
    ///
    /// # Errors
    /// [`ControlError`]: every one of them is to be taken for "paused".
    pub async fn control(&self) -> Result<ControlState, ControlError> {
        self.store.control().read().await
    }

    /// The merges that may happen at any moment, of every repository and base branch. May be repeated.
    ///
    /// # Errors
    /// [`LedgerError`] if the ledger cannot be read.
    pub async fn in_flight(&self) -> Result<Vec<PermitTerms>, LedgerError> {
        self.store.ledger().open_permits().await
    }

    /// How the merge of a permit ended; `None` while it may still happen, whoever has taken it over. Writes nothing and asks
    /// no forge; may be repeated.
    ///
    /// # Errors
    /// [`LedgerError`] if the ledger cannot be read; [`LedgerError::Corrupt`] if it does not hold the permit any more.
    pub async fn merge_end(&self, permit: &PermitTerms) -> Result<Option<MergeEnd>, LedgerError> {
        MergeEnd::find(permit, &self.stream_events(&permit.run.clone().into()).await?)
    }

    /// Waits until it is known how the merge of a permit ended, by a look into the ledger twice a second. A merge that a crash
    /// left open ends only when somebody settles it: any process that opens [`Selfext`] on its repository after its deadline,
    /// [`Selfext::reconcile`] or [`Selfext::fence_merge`]. May be dropped at any moment, and repeated.
    ///
    /// # Errors
    /// As [`Operations::merge_end`].
    ///
    /// [`Selfext`]: crate::Selfext
    /// [`Selfext::reconcile`]: crate::Selfext::reconcile
    /// [`Selfext::fence_merge`]: crate::Selfext::fence_merge
    pub async fn wait_for_merge(&self, permit: &PermitTerms) -> Result<MergeEnd, LedgerError> {
        loop {
            if let Some(end) = self.merge_end(permit).await? {
                return Ok(end);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The time of the clock by which permits expire. May be repeated.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`].
    pub async fn time(&self) -> Result<DateTime<Utc>, LedgerError> {
        self.store.ledger().time().await
    }

    /// Resumes promotion. Each call is a resume of its own; resuming what runs is harmless.
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

    /// How everything stands, with up to `limit` of the open runs and of the latest ones. One query, and so of one moment. May be
    /// repeated.
    ///
    /// # Errors
    /// [`LedgerError`] if the ledger cannot be read.
    pub async fn status(&self, limit: u32) -> Result<Overview, LedgerError> {
        self.store.queries().overview(limit).await
    }

    /// A page of runs, the latest proposed first. May be repeated.
    ///
    /// # Errors
    /// [`LedgerError`] if the ledger cannot be read.
    pub async fn runs(&self, query: &RunQuery) -> Result<Vec<RunEntry>, LedgerError> {
        self.store.queries().runs(query).await
    }

    /// A page of events by their types and times, the earliest first. May be repeated. An event whose transaction is still open
    /// may show behind the page's end later: [`Operations::events_after`] and [`Operations::follow`] miss nothing.
    ///
    /// # Errors
    /// [`LedgerError`] if the ledger cannot be read.
    pub async fn events(&self, query: &EventQuery) -> Result<Vec<RecordedEvent>, LedgerError> {
        self.store.queries().events(query).await
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

    /// Follows the ledger behind a position: [`Position::START`], or that of the last event that was dealt with. Every event
    /// comes exactly once and in an order that never changes, soon after it was written, whoever wrote it.
    #[must_use]
    pub fn follow(&self, after: Position) -> Box<dyn Follower> {
        self.store.ledger().follow(after)
    }

    /// Lets every promotion into a repository that waits for checks ask the forge soon, in whatever process on this ledger. On
    /// Postgres each hears it at once, on `SQLite` within a quarter of a second. Nothing is recorded; who does not wait at this
    /// moment hears nothing. May be repeated.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`]: then those who wait ask at their times.
    pub async fn wake(&self, repository: &RepositoryName) -> Result<(), LedgerError> {
        self.store.bell(repository).ring().await.map_err(LedgerError::unavailable)
    }
}

/// The request that a pause's event records. To ask it again is to look again: the event is recorded once.
fn asked(event: &RecordedEvent) -> Option<PauseRequest> {
    match &event.event.body {
        EventBody::PromotionPauseChanged(PromotionPauseChanged {
            paused: true,
            by,
            reason: Some(reason),
            allow_rollbacks,
            os_user,
        }) => Some(PauseRequest {
            event: event.event.id,
            by: by.clone(),
            reason: reason.clone(),
            allow_rollbacks: *allow_rollbacks,
            os_user: os_user.clone(),
        }),
        _ => None,
    }
}

pub(crate) fn os_user() -> Option<String> {
    whoami::username().ok()
}
