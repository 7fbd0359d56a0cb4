//! A transaction that has the file for itself, and the steps that decisions are made of.

use chrono::{DateTime, Utc};
use selfext_domain::ports::{ControlError, LedgerError};
use selfext_domain::{ControlState, Digest32, EventId, Link, RecordedEvent, RunId, Subject};
use sqlx::{Row as _, Sqlite, Transaction};

use super::SqliteDatabase;
use super::columns::{event_columns, event_row};
use super::errors::failed;
use crate::reading;
use crate::request::{MergeRequest, run_id, signed};
use crate::stored_text::stored;

/// The open permits with their events, oldest first.
pub(super) const OPEN_PERMITS: &str = concat!(
    "SELECT ",
    event_columns!("e"),
    " FROM self_extension_open_runs o JOIN self_extension_events e ON e.id = o.permit
      WHERE o.permit IS NOT NULL ORDER BY e.id"
);

/// A transaction that has the file for itself from its beginning: nobody else writes until it ends, so what it reads stays
/// true. Dropped without [`Writing::commit`], it takes everything back.
pub(super) struct Writing<'a> {
    transaction: Transaction<'static, Sqlite>,
    written_by: &'a str,
}

impl<'a> Writing<'a> {
    pub async fn begin(database: &'a SqliteDatabase) -> Result<Self, LedgerError> {
        let transaction = database.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        Ok(Self { transaction, written_by: &database.written_by })
    }

    /// Makes everything durable.
    pub async fn commit(self) -> Result<(), LedgerError> {
        self.transaction.commit().await.map_err(failed)
    }

    /// The event with this id, if it is there with this content.
    pub async fn find(&mut self, id: EventId, content: &str) -> Result<Option<RecordedEvent>, LedgerError> {
        const EVENT: &str =
            concat!("SELECT ", event_columns!("e"), " FROM self_extension_events e WHERE e.event_id = ?1");
        let row =
            sqlx::query(EVENT).bind(id.to_string()).fetch_optional(&mut *self.transaction).await.map_err(failed)?;
        let Some(row) = row else { return Ok(None) };
        let event = event_row(&row).map_err(failed)?.into_recorded()?;
        if event.content == content { Ok(Some(event)) } else { Err(LedgerError::IdReused(id)) }
    }

    /// The number of a stream's last event, and its hash; what the first event follows, if there is none.
    pub async fn last(&mut self, stream: &str) -> Result<(u64, Digest32), LedgerError> {
        const LAST: &str = "SELECT e.sequence, e.hash FROM self_extension_events e WHERE e.run_id = ?1 ORDER BY e.sequence DESC LIMIT 1";
        let row =
            sqlx::query(LAST).bind(stored(stream)).fetch_optional(&mut *self.transaction).await.map_err(failed)?;
        let Some(row) = row else { return Ok((0, Link::GENESIS)) };
        let sequence: i64 = row.try_get(0).map_err(failed)?;
        let hash: Vec<u8> = row.try_get(1).map_err(failed)?;
        let corrupt =
            || LedgerError::Corrupt { detail: format!("number {sequence} of {stream}: its number or hash is broken") };
        let hash: [u8; 32] = hash.try_into().map_err(|_| corrupt())?;
        Ok((u64::try_from(sequence).map_err(|_| corrupt())?, Digest32::from_bytes(hash)))
    }

    /// Writes an event behind the one that [`Writing::last`] found.
    pub async fn insert(&mut self, content: &str, last: (u64, Digest32)) -> Result<RecordedEvent, LedgerError> {
        const INSERT: &str =
            "INSERT INTO self_extension_events (sequence, content, written_by, content_hash, prev_hash, hash)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        const EVENT: &str = concat!("SELECT ", event_columns!("e"), " FROM self_extension_events e WHERE e.id = ?1");
        let (sequence, prev_hash) = last;
        let link = Link::new(prev_hash, content.as_bytes());
        let inserted = sqlx::query(INSERT)
            .bind(signed(sequence + 1))
            .bind(content)
            .bind(self.written_by)
            .bind(link.content_hash.as_bytes().as_slice())
            .bind(link.prev_hash.as_bytes().as_slice())
            .bind(link.hash.as_bytes().as_slice())
            .execute(&mut *self.transaction)
            .await
            .map_err(failed)?;
        let row = sqlx::query(EVENT)
            .bind(inserted.last_insert_rowid())
            .fetch_one(&mut *self.transaction)
            .await
            .map_err(failed)?;
        event_row(&row).map_err(failed)?.into_recorded()
    }

    /// The latest run of a subject.
    pub async fn latest_run(&mut self, subject: &Subject) -> Result<Option<RunId>, LedgerError> {
        const LATEST: &str = "SELECT p.run_id FROM self_extension_events p
            WHERE p.event_type = 'proposed' AND p.repository = ?1 AND p.base = ?2 AND p.fingerprint = ?3
            ORDER BY p.id DESC LIMIT 1";
        let row = sqlx::query(LATEST)
            .bind(stored(subject.repository.as_str()))
            .bind(stored(subject.base.as_str()))
            .bind(subject.fingerprint.to_string())
            .fetch_optional(&mut *self.transaction)
            .await
            .map_err(failed)?;
        row.map(|row| run_id(&row.try_get::<String, _>(0).map_err(failed)?)).transpose()
    }

    /// The run of an open permit that keeps this merge from beginning.
    pub async fn in_flight(&mut self, merge: &MergeRequest<'_>) -> Result<Option<RunId>, LedgerError> {
        const OTHER: &str = "SELECT o.run_id FROM self_extension_open_runs o
            WHERE o.permit IS NOT NULL AND o.repository = ?1 AND (o.base = ?2 OR o.pull_request = ?3)
            ORDER BY o.permit LIMIT 1";
        let row = sqlx::query(OTHER)
            .bind(stored(merge.subject.repository.as_str()))
            .bind(stored(merge.subject.base.as_str()))
            .bind(signed(merge.pull_request.get()))
            .fetch_optional(&mut *self.transaction)
            .await
            .map_err(failed)?;
        row.map(|row| run_id(&row.try_get::<String, _>(0).map_err(failed)?)).transpose()
    }

    /// Whether a run is open.
    pub async fn is_open(&mut self, run: &RunId) -> Result<bool, LedgerError> {
        const OPEN: &str = "SELECT 1 FROM self_extension_open_runs o WHERE o.run_id = ?1";
        let row = sqlx::query(OPEN).bind(stored(run.as_str())).fetch_optional(&mut *self.transaction).await;
        Ok(row.map_err(failed)?.is_some())
    }

    /// Whether the permit of a `merge_started` event is open and not being fenced.
    pub async fn permit_is_open(&mut self, event: &RecordedEvent) -> Result<bool, LedgerError> {
        const OPEN: &str = "SELECT 1 FROM self_extension_open_runs o WHERE o.permit = ?1";
        let row = sqlx::query(OPEN).bind(signed(event.position.id)).fetch_optional(&mut *self.transaction).await;
        let open = row.map_err(failed)?.is_some();
        Ok(open && self.last(event.event.stream.as_str()).await?.0 == event.sequence)
    }

    /// The control as it is.
    pub async fn control(&mut self) -> Result<ControlState, ControlError> {
        const ROW: &str =
            "SELECT s.value, s.updated_at FROM agent_state s WHERE s.key = 'self_extension:promotion_control'";
        let row = sqlx::query(ROW).fetch_optional(&mut *self.transaction).await.map_err(ControlError::unavailable)?;
        let row = row.ok_or(ControlError::Missing)?;
        let value: String = row.try_get(0).map_err(ControlError::unavailable)?;
        let updated_at: DateTime<Utc> = row.try_get(1).map_err(ControlError::unavailable)?;
        reading::read(Some((&value, updated_at)))
    }

    /// Sets the control, also if there is no row.
    pub async fn set_control(&mut self, value: &str) -> Result<(), LedgerError> {
        const SET: &str = "INSERT INTO agent_state (key, value, updated_at)
            VALUES ('self_extension:promotion_control', ?1, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
            ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at";
        sqlx::query(SET).bind(value).execute(&mut *self.transaction).await.map_err(failed)?;
        Ok(())
    }
}
