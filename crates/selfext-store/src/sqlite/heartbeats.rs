//! Heartbeats in a SQLite file.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use selfext_domain::ports::{Heartbeats, LedgerError};
use selfext_domain::{BranchName, HealthSample, Heartbeat, RepositoryName};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::SqliteDatabase;
use super::columns::text;
use super::database::{to_its_end, traced};
use super::errors::{cut_off, failed};
use super::transaction::Writing;
use crate::heartbeat::{HeartbeatRow, sample};
use crate::standing::seconds;
use crate::stored_text::stored;

/// Heartbeats in a SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteHeartbeats {
    database: Arc<SqliteDatabase>,
}

impl SqliteHeartbeats {
    pub(crate) const fn new(database: Arc<SqliteDatabase>) -> Self {
        Self { database }
    }
}

#[async_trait]
impl Heartbeats for SqliteHeartbeats {
    async fn record(&self, heartbeat: &Heartbeat) -> Result<DateTime<Utc>, LedgerError> {
        const RECORD: &str = "INSERT INTO self_extension_heartbeats
                (repository, base, commit_sha, healthy, reporter, detail, written_by)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING recorded_at";
        let (database, row) = (Arc::clone(&self.database), HeartbeatRow::of(heartbeat));
        let work = async move {
            let mut writing = Writing::begin(&database).await?;
            let written_by = writing.written_by.to_owned();
            let recorded = writing
                .row(RECORD, |query| {
                    query
                        .bind(row.repository)
                        .bind(row.base)
                        .bind(row.commit)
                        .bind(row.healthy)
                        .bind(row.reporter)
                        .bind(row.detail)
                        .bind(written_by)
                })
                .await?;
            let recorded = recorded.ok_or_else(|| LedgerError::unavailable("the database told nothing"))?;
            writing.commit().await?;
            recorded.try_get(0).map_err(failed)
        };
        to_its_end(work).await.ok_or_else(cut_off)?
    }

    async fn samples(
        &self,
        repository: &RepositoryName,
        base: &BranchName,
        since: DateTime<Utc>,
    ) -> Result<Vec<HealthSample>, LedgerError> {
        const SAMPLES: &str = "SELECT h.recorded_at, h.commit_sha, h.healthy, h.reporter, h.detail
            FROM self_extension_heartbeats h
            WHERE h.repository = ?1 AND h.base = ?2 AND h.recorded_at >= ?3 ORDER BY h.recorded_at, h.id";
        let statement = sqlx::query(SAMPLES)
            .bind(stored(repository.as_str()).into_owned())
            .bind(stored(base.as_str()).into_owned())
            .bind(text(since));
        let rows = traced(SAMPLES, statement.fetch_all(&self.database.reader)).await?;
        let read = |row: &SqliteRow| {
            let (commit, reporter): (&str, &str) = (row.try_get(1).map_err(failed)?, row.try_get(3).map_err(failed)?);
            let healthy = row.try_get(2).map_err(failed)?;
            sample(row.try_get(0).map_err(failed)?, commit, healthy, reporter, row.try_get(4).map_err(failed)?)
        };
        rows.iter().map(read).collect()
    }

    /// What an open window may need is kept, and what one may need that an open permit leads to.
    async fn forget(&self, repository: &RepositoryName, base: &BranchName, keep: Duration) -> Result<u64, LedgerError> {
        const FORGET: &str = "DELETE FROM self_extension_heartbeats
            WHERE repository = ?1 AND base = ?2 AND recorded_at < min(
                strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?3),
                coalesce((SELECT min(e.created_at)
                          FROM self_extension_watched_runs w JOIN self_extension_events e ON e.id = w.promoted
                          WHERE w.repository = ?1 AND w.base = ?2 AND w.event_type = 'promoted'), '~'),
                coalesce((SELECT min(e.created_at)
                          FROM self_extension_open_runs o JOIN self_extension_events e ON e.id = o.permit
                          WHERE o.repository = ?1 AND o.base = ?2), '~'))";
        const FORGOTTEN: &str = "SELECT changes()";
        let database = Arc::clone(&self.database);
        let (repository, base) = (stored(repository.as_str()).into_owned(), stored(base.as_str()).into_owned());
        let before = format!("-{:.3} seconds", seconds(keep));
        let work = async move {
            let mut writing = Writing::begin(&database).await?;
            writing.row(FORGET, |query| query.bind(repository).bind(base).bind(before)).await?;
            let forgotten = writing.row(FORGOTTEN, |query| query).await?;
            let forgotten: i64 = forgotten.map_or(Ok(0), |row| row.try_get(0)).map_err(failed)?;
            writing.commit().await?;
            Ok(u64::try_from(forgotten).unwrap_or_default())
        };
        to_its_end(work).await.ok_or_else(cut_off)?
    }
}
