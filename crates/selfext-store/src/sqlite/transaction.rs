//! A transaction that has the file for itself, and the steps that decisions are made of.

use selfext_domain::ports::{ControlError, LedgerError, StoredCheckpoint};
use selfext_domain::{ControlState, Digest32, Event, EventId, Link, RecordedEvent, RunId, Subject, Tip};
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Row as _, Sqlite, Transaction};
use tokio::sync::OwnedMutexGuard;

use super::SqliteDatabase;
use super::appender::Appender;
use super::columns::{EVENT_COLUMNS, control_row, event_columns, event_row};
use super::database::traced;
use super::errors::{control_failed, failed};
use crate::request::{MergeRequest, remembered, run_id, signed};
use crate::stored_text::stored;

/// The open permits with their events, oldest first.
pub(super) const OPEN_PERMITS: &str = concat!(
    "SELECT ",
    event_columns!("e"),
    " FROM self_extension_open_runs o JOIN self_extension_events e ON e.id = o.permit
      WHERE o.permit IS NOT NULL ORDER BY e.id"
);

/// A statement with its values.
pub(super) type Statement = Query<'static, Sqlite, SqliteArguments>;

/// A transaction that has the file for itself from its beginning: nobody else writes until it ends, so what it reads stays
/// true. Dropped without [`Writing::commit`], it takes everything back.
pub(super) struct Writing<'a> {
    transaction: Transaction<'static, Sqlite>,
    /// Given back after the transaction.
    _turn: OwnedMutexGuard<Appender>,
    pub written_by: &'a str,
}

/// What [`Writing::find_or_last`] found.
pub(super) enum Found {
    /// The event is there, with the same content.
    Recorded(Box<RecordedEvent>),
    /// It is not there, and its stream ends so.
    Last(Tip),
}

impl<'a> Writing<'a> {
    pub async fn begin(database: &'a SqliteDatabase) -> Result<Self, LedgerError> {
        let turn = database.turn().await?;
        let transaction = traced("BEGIN IMMEDIATE", database.writer.begin_with("BEGIN IMMEDIATE")).await?;
        Ok(Self { transaction, _turn: turn, written_by: &database.written_by })
    }

    /// Makes everything durable.
    pub async fn commit(self) -> Result<(), LedgerError> {
        traced("COMMIT", self.transaction.commit()).await
    }

    /// The event with this id, if it is there with this content.
    pub async fn find(&mut self, id: EventId, content: &str) -> Result<Option<RecordedEvent>, LedgerError> {
        const EVENT: &str =
            concat!("SELECT ", event_columns!("e"), " FROM self_extension_events e WHERE e.event_id = ?1");
        let row = self.row(EVENT, |query| query.bind(id.to_string())).await?;
        row.map(|row| same(&row, id, content)).transpose()
    }

    /// Where a stream ends.
    pub async fn last(&mut self, stream: &str) -> Result<Tip, LedgerError> {
        const LAST: &str = "SELECT e.sequence, e.hash FROM self_extension_events e WHERE e.run_id = ?1 ORDER BY e.sequence DESC LIMIT 1";
        let row = self.row(LAST, |query| query.bind(stored(stream).into_owned())).await?;
        row.map_or(Ok(Tip::START), |row| tip(&row, 0, stream))
    }

    /// [`Writing::find`] and [`Writing::last`] in one statement: each is a way to the thread that SQLite works on, and back.
    pub async fn find_or_last(&mut self, event: &Event, content: &str) -> Result<Found, LedgerError> {
        const BOTH: &str = concat!(
            "SELECT ",
            event_columns!("e"),
            ", last.sequence, last.hash
             FROM (SELECT 1)
             LEFT JOIN self_extension_events e ON e.event_id = ?1
             LEFT JOIN (SELECT l.sequence, l.hash FROM self_extension_events l WHERE l.run_id = ?2
                        ORDER BY l.sequence DESC LIMIT 1) last"
        );
        let (id, stream) = (event.id, event.stream.as_str());
        let row = self.row(BOTH, |query| query.bind(id.to_string()).bind(stored(stream).into_owned())).await?;
        let row = row.ok_or_else(|| LedgerError::unavailable("the database told nothing"))?;
        if row.try_get::<Option<i64>, _>(0).map_err(failed)?.is_some() {
            return Ok(Found::Recorded(Box::new(same(&row, id, content)?)));
        }
        let has_last = row.try_get::<Option<i64>, _>(EVENT_COLUMNS).map_err(failed)?.is_some();
        Ok(Found::Last(if has_last { tip(&row, EVENT_COLUMNS, stream)? } else { Tip::START }))
    }

    /// Writes an event behind the one that [`Writing::last`] found.
    pub async fn insert(&mut self, content: &str, last: Tip) -> Result<RecordedEvent, LedgerError> {
        const INSERT: &str = concat!(
            "INSERT INTO self_extension_events (sequence, content, written_by, content_hash, prev_hash, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING ",
            event_columns!("self_extension_events")
        );
        let link = Link::new(last.hash, content.as_bytes());
        let written_by = self.written_by.to_owned();
        let insert = self.row(INSERT, |query| {
            query
                .bind(signed(last.sequence + 1))
                .bind(content.to_owned())
                .bind(written_by)
                .bind(link.content_hash.as_bytes().to_vec())
                .bind(link.prev_hash.as_bytes().to_vec())
                .bind(link.hash.as_bytes().to_vec())
        });
        let row = insert.await?;
        let row = row.ok_or_else(|| LedgerError::unavailable("the event that was just written is not there"))?;
        event_row(&row).map_err(failed)?.into_recorded()
    }

    /// The latest run of a subject.
    pub async fn latest_run(&mut self, subject: &Subject) -> Result<Option<RunId>, LedgerError> {
        const LATEST: &str = "SELECT p.run_id FROM self_extension_events p
            WHERE p.event_type = 'proposed' AND p.repository = ?1 AND p.base = ?2 AND p.fingerprint = ?3
            ORDER BY p.id DESC LIMIT 1";
        let row = self
            .row(LATEST, |query| {
                query
                    .bind(stored(subject.repository.as_str()).into_owned())
                    .bind(stored(subject.base.as_str()).into_owned())
                    .bind(subject.fingerprint.to_string())
            })
            .await?;
        row.map(|row| run_id(&row.try_get::<String, _>(0).map_err(failed)?)).transpose()
    }

    /// The run of an open permit that keeps this merge from beginning.
    pub async fn in_flight(&mut self, merge: &MergeRequest<'_>) -> Result<Option<RunId>, LedgerError> {
        const OTHER: &str = "SELECT o.run_id FROM self_extension_open_runs o
            WHERE o.permit IS NOT NULL AND o.repository = ?1 AND (o.base = ?2 OR o.pull_request = ?3)
            ORDER BY o.permit LIMIT 1";
        let row = self
            .row(OTHER, |query| {
                query
                    .bind(stored(merge.subject.repository.as_str()).into_owned())
                    .bind(stored(merge.subject.base.as_str()).into_owned())
                    .bind(signed(merge.pull_request.get()))
            })
            .await?;
        row.map(|row| run_id(&row.try_get::<String, _>(0).map_err(failed)?)).transpose()
    }

    /// The run that was promoted last into the branch since this merge's own run was tested, if one was. What was promoted
    /// before that, the run has seen when it looked at the base; what was promoted since, perhaps not.
    pub async fn promoted_since_tested(&mut self, merge: &MergeRequest<'_>) -> Result<Option<RunId>, LedgerError> {
        const PROMOTED: &str = "SELECT p.run_id FROM self_extension_events p
            WHERE p.event_type = 'promoted' AND p.repository = ?1 AND p.base = ?2
              AND p.id > (SELECT max(t.id) FROM self_extension_events t WHERE t.run_id = ?3 AND t.event_type = 'tested')
            ORDER BY p.id DESC LIMIT 1";
        let row = self
            .row(PROMOTED, |query| {
                query
                    .bind(stored(merge.subject.repository.as_str()).into_owned())
                    .bind(stored(merge.subject.base.as_str()).into_owned())
                    .bind(stored(merge.run.as_str()).into_owned())
            })
            .await?;
        row.map(|row| run_id(&row.try_get::<String, _>(0).map_err(failed)?)).transpose()
    }

    /// Whether the merge's run is open, and goes where the merge does.
    pub async fn is_open(&mut self, merge: &MergeRequest<'_>) -> Result<bool, LedgerError> {
        const OPEN: &str = "SELECT 1 FROM self_extension_open_runs o
            WHERE o.run_id = ?1 AND o.repository = ?2 AND o.base = ?3";
        let row = self
            .row(OPEN, |query| {
                query
                    .bind(stored(merge.run.as_str()).into_owned())
                    .bind(stored(merge.subject.repository.as_str()).into_owned())
                    .bind(stored(merge.subject.base.as_str()).into_owned())
            })
            .await?;
        Ok(row.is_some())
    }

    /// The event that is a run's own open permit.
    pub async fn own_permit(&mut self, run: &RunId) -> Result<Option<RecordedEvent>, LedgerError> {
        const OWN: &str = concat!(
            "SELECT ",
            event_columns!("e"),
            " FROM self_extension_open_runs o JOIN self_extension_events e ON e.id = o.permit WHERE o.run_id = ?1"
        );
        let row = self.row(OWN, |query| query.bind(stored(run.as_str()).into_owned())).await?;
        row.map(|row| event_row(&row).map_err(failed)?.into_recorded()).transpose()
    }

    /// The control as it is.
    pub async fn control(&mut self) -> Result<ControlState, ControlError> {
        const ROW: &str =
            "SELECT s.value, s.updated_at FROM agent_state s WHERE s.key = 'self_extension:promotion_control'";
        let row = self.row(ROW, |query| query).await.map_err(control_failed)?;
        row.map_or_else(
            || Err(ControlError::Missing),
            |row| control_row(&row, 0).map_err(ControlError::unavailable)?.read(),
        )
    }

    /// Sets the control, also if there is no row.
    pub async fn set_control(&mut self, value: &str) -> Result<(), LedgerError> {
        const SET: &str = "INSERT INTO agent_state (key, value, updated_at)
            VALUES ('self_extension:promotion_control', ?1, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
            ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at";
        self.row(SET, |query| query.bind(value.to_owned())).await?;
        Ok(())
    }

    /// How many events the last checkpoint seals; 0 without one.
    pub async fn sealed(&mut self) -> Result<u64, LedgerError> {
        const SEALED: &str = "SELECT coalesce(max(c.size), 0) FROM self_extension_checkpoints c";
        let row = self.row(SEALED, |query| query).await?;
        let size: i64 = row.map_or(Ok(0), |row| row.try_get(0)).map_err(failed)?;
        u64::try_from(size).map_err(|_| LedgerError::Corrupt { detail: format!("a checkpoint seals {size} events") })
    }

    /// Adds a checkpoint.
    pub async fn seal(&mut self, checkpoint: &StoredCheckpoint) -> Result<(), LedgerError> {
        const SEAL: &str = "INSERT INTO self_extension_checkpoints (size, id, frontier, note, written_by)
            VALUES (?1, ?2, ?3, ?4, ?5)";
        let StoredCheckpoint { size, position, frontier, note } = checkpoint.clone();
        let written_by = self.written_by.to_owned();
        self.row(SEAL, |query| {
            query.bind(signed(size)).bind(signed(position.id)).bind(frontier).bind(note).bind(written_by)
        })
        .await?;
        Ok(())
    }

    /// The number that a repository's name led to first.
    pub async fn repository(&mut self, forge: &str, name: &str) -> Result<Option<u64>, LedgerError> {
        const NUMBER: &str = "SELECT r.number FROM self_extension_repositories r WHERE r.forge = ?1 AND r.name = ?2";
        let row = self.row(NUMBER, |query| query.bind(forge.to_owned()).bind(name.to_owned())).await?;
        row.map(|row| remembered(row.try_get(0).map_err(failed)?)).transpose()
    }

    /// Keeps the number that a repository's name leads to.
    pub async fn remember_repository(&mut self, forge: &str, name: &str, number: u64) -> Result<(), LedgerError> {
        const REMEMBER: &str = "INSERT INTO self_extension_repositories (forge, name, number, written_by)
            VALUES (?1, ?2, ?3, ?4)";
        let written_by = self.written_by.to_owned();
        self.row(REMEMBER, |query| {
            query.bind(forge.to_owned()).bind(name.to_owned()).bind(signed(number)).bind(written_by)
        })
        .await?;
        Ok(())
    }

    /// Carries out one statement, and gives its first row.
    pub async fn row(
        &mut self,
        statement: &'static str,
        bind: impl FnOnce(Statement) -> Statement,
    ) -> Result<Option<SqliteRow>, LedgerError> {
        traced(statement, bind(sqlx::query(statement)).fetch_optional(&mut *self.transaction)).await
    }
}

/// The event of a row, if it has this content.
fn same(row: &SqliteRow, id: EventId, content: &str) -> Result<RecordedEvent, LedgerError> {
    let event = event_row(row).map_err(failed)?.into_recorded()?;
    if event.content == content { Ok(event) } else { Err(LedgerError::IdReused(id)) }
}

/// The end of a stream: its last number and hash, from column `at` on.
fn tip(row: &SqliteRow, at: usize, stream: &str) -> Result<Tip, LedgerError> {
    let sequence: i64 = row.try_get(at).map_err(failed)?;
    let hash: Vec<u8> = row.try_get(at + 1).map_err(failed)?;
    let corrupt =
        || LedgerError::Corrupt { detail: format!("number {sequence} of {stream}: its number or hash is broken") };
    let hash: [u8; 32] = hash.try_into().map_err(|_| corrupt())?;
    Ok(Tip { sequence: u64::try_from(sequence).map_err(|_| corrupt())?, hash: Digest32::from_bytes(hash) })
}
