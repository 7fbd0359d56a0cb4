//! The ledger as it is stored in a SQLite file, and its checkpoints.

use std::sync::Arc;

use async_trait::async_trait;
use selfext_domain::Position;
use selfext_domain::ports::{Archive, DerivedColumns, LedgerError, LedgerRow, LedgerRows, StoredCheckpoint};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite};

use super::SqliteDatabase;
use super::database::{to_its_end, traced};
use super::errors::cut_off;
use super::transaction::Writing;
use crate::archive::{checkpoint, position, sentence};
use crate::request::signed;

/// The archive in a SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteArchive {
    database: Arc<SqliteDatabase>,
}

impl SqliteArchive {
    pub(crate) const fn new(database: Arc<SqliteDatabase>) -> Self {
        Self { database }
    }

    async fn checkpoints(
        &self,
        sql: &'static str,
        size: u64,
        limit: u32,
    ) -> Result<Vec<StoredCheckpoint>, LedgerError> {
        let statement = sqlx::query(sql).bind(signed(size)).bind(i64::from(limit));
        let rows = traced(sql, statement.fetch_all(&self.database.reader)).await?;
        Ok(rows.iter().map(read).collect())
    }
}

fn read(row: &SqliteRow) -> StoredCheckpoint {
    checkpoint(column(row, 0), position(0, column(row, 1)), column(row, 2), column(row, 3))
}

/// A value; an empty one if it is not there, or is of another type.
fn column<'r, T>(row: &'r SqliteRow, at: usize) -> T
where
    T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite> + Default,
{
    row.try_get(at).unwrap_or_default()
}

/// Reads a row whose columns are those of [`LedgerRow`], in their order.
fn ledger_row(row: &SqliteRow) -> LedgerRow<'_> {
    LedgerRow {
        position: position(0, column(row, 0)),
        sequence: column(row, 1),
        content: column(row, 2),
        content_hash: column(row, 3),
        prev_hash: column(row, 4),
        hash: column(row, 5),
        created_at: column(row, 6),
        written_by: column(row, 7),
        derived: DerivedColumns {
            event_id: column(row, 8),
            run_id: column(row, 9),
            correlation_id: column(row, 10),
            stage: column(row, 11),
            event_type: column(row, 12),
            actor_source: column(row, 13),
            tool_name: column(row, 14),
            tool_call_id: column(row, 15),
            goal_id: column(row, 16),
            cycle_id: column(row, 17),
            sub_goal_id: column(row, 18),
            repository: column(row, 19),
            base: column(row, 20),
            fingerprint: column(row, 21),
            pull_request: column(row, 22),
        },
    }
}

#[async_trait]
impl Archive for SqliteArchive {
    async fn rows_after(&self, position: Position, limit: u32) -> Result<LedgerRows, LedgerError> {
        const ROWS: &str = "SELECT e.id, e.sequence, e.content, e.content_hash, e.prev_hash, e.hash, e.created_at,
                e.written_by, e.event_id, e.run_id, e.correlation_id, e.stage, e.event_type, e.actor_source, e.tool_name,
                e.tool_call_id, e.goal_id, e.cycle_id, e.sub_goal_id, e.repository, e.base, e.fingerprint, e.pull_request
            FROM self_extension_events e WHERE e.id > ?1 ORDER BY e.id LIMIT ?2";
        let statement = sqlx::query(ROWS).bind(signed(position.id)).bind(i64::from(limit));
        let rows = traced(ROWS, statement.fetch_all(&self.database.reader)).await?;
        let mut read = LedgerRows::with_capacity(rows.len());
        for row in &rows {
            read.push(&ledger_row(row));
        }
        Ok(read)
    }

    async fn checkpoints_after(&self, size: u64, limit: u32) -> Result<Vec<StoredCheckpoint>, LedgerError> {
        const CHECKPOINTS: &str = "SELECT c.size, c.id, c.frontier, c.note FROM self_extension_checkpoints c
            WHERE c.size > ?1 ORDER BY c.size LIMIT ?2";
        self.checkpoints(CHECKPOINTS, size, limit).await
    }

    async fn last_checkpoint(&self) -> Result<Option<StoredCheckpoint>, LedgerError> {
        const LAST: &str = "SELECT c.size, c.id, c.frontier, c.note FROM self_extension_checkpoints c
            WHERE c.size > ?1 ORDER BY c.size DESC LIMIT ?2";
        Ok(self.checkpoints(LAST, 0, 1).await?.pop())
    }

    async fn add_checkpoint(&self, checkpoint: &StoredCheckpoint, after: u64) -> Result<bool, LedgerError> {
        let (database, checkpoint) = (Arc::clone(&self.database), checkpoint.clone());
        let work = async move {
            let mut writing = Writing::begin(&database).await?;
            if writing.sealed().await? != after {
                return Ok(false);
            }
            writing.seal(&checkpoint).await?;
            writing.commit().await?;
            Ok(true)
        };
        to_its_end(work).await.ok_or_else(cut_off)?
    }

    async fn contradictions(&self) -> Result<Vec<String>, LedgerError> {
        const CONTRADICTIONS: &str = "
            SELECT 'the run ' || o.run_id || ' is listed as open, but it is over, or never began'
            FROM self_extension_open_runs o
            WHERE NOT EXISTS (SELECT 1 FROM self_extension_events e
                              WHERE e.run_id = o.run_id AND e.id = o.proposed AND e.event_type = 'proposed')
               OR EXISTS (SELECT 1 FROM self_extension_events e
                          WHERE e.run_id = o.run_id AND e.event_type IN ('promoted', 'failed', 'run_abandoned'))
            UNION ALL
            SELECT 'the run ' || p.run_id || ' is open, but is not listed as open'
            FROM self_extension_events p
            WHERE p.event_type = 'proposed'
              AND NOT EXISTS (SELECT 1 FROM self_extension_open_runs o WHERE o.run_id = p.run_id)
              AND NOT EXISTS (SELECT 1 FROM self_extension_events e
                              WHERE e.run_id = p.run_id AND e.event_type IN ('promoted', 'failed', 'run_abandoned'))
            UNION ALL
            SELECT 'the run ' || o.run_id || ' is listed with another merge permit than its events say'
            FROM self_extension_open_runs o
            WHERE o.permit IS NOT (
                SELECT m.id FROM self_extension_events m
                WHERE m.run_id = o.run_id AND m.event_type = 'merge_started' AND NOT EXISTS (
                    SELECT 1 FROM self_extension_events l
                    WHERE l.run_id = m.run_id AND l.sequence > m.sequence
                      AND l.event_type IN ('merge_started', 'promotion_blocked')))
            UNION ALL
            SELECT 'the run ' || w.run_id || ' is listed as holding others back, but otherwise than its events say'
            FROM self_extension_watched_runs w
            WHERE NOT EXISTS (
                SELECT 1 FROM self_extension_events e JOIN self_extension_events p ON p.run_id = e.run_id
                WHERE e.id = w.event AND e.run_id = w.run_id AND e.event_type = w.event_type
                  AND e.content ->> '$.payload.rollback_run' IS w.rollback_run
                  AND p.id = w.promoted AND p.event_type = 'promoted' AND p.repository = w.repository AND p.base = w.base
                  AND NOT EXISTS (
                    SELECT 1 FROM self_extension_events l
                    WHERE l.run_id = e.run_id AND l.sequence > e.sequence
                      AND l.event_type IN ('health_window_passed', 'health_window_failed', 'rollback_started', 'rolled_back',
                                           'rollback_failed', 'rollback_acknowledged')))
            UNION ALL
            SELECT 'the run ' || e.run_id || ' holds others back, but is not listed so'
            FROM self_extension_events e
            WHERE (e.event_type IN ('health_window_failed', 'rollback_started', 'rollback_failed')
                   OR (e.event_type = 'promoted' AND e.content ->> '$.payload.health' IS NOT NULL))
              AND NOT EXISTS (SELECT 1 FROM self_extension_watched_runs w WHERE w.run_id = e.run_id)
              AND EXISTS (SELECT 1 FROM self_extension_events p
                          WHERE p.run_id = e.run_id AND p.event_type = 'promoted' AND p.sequence <= e.sequence)
              AND NOT EXISTS (
                SELECT 1 FROM self_extension_events l
                WHERE l.run_id = e.run_id AND l.sequence > e.sequence
                  AND l.event_type IN ('health_window_passed', 'health_window_failed', 'rollback_started', 'rolled_back',
                                       'rollback_failed', 'rollback_acknowledged'))
            UNION ALL
            SELECT 'the baseline of ' || coalesce(b.repository, s.repository) || ' ' || coalesce(b.base, s.base) || ' is '
                || coalesce(b.commit_sha, 'nothing') || ', but its events say ' || coalesce(s.commit_sha, 'nothing')
            FROM self_extension_baselines b FULL JOIN (SELECT n.* FROM (
                SELECT c.repository, c.base, c.commit_sha, c.id,
                       row_number() OVER (PARTITION BY c.repository, c.base ORDER BY c.seeds, c.first) AS number
                FROM (
                    SELECT e.repository, e.base, e.content ->> '$.payload.commit' AS commit_sha, e.id, 0 AS seeds, -e.id AS first
                    FROM self_extension_events e WHERE e.event_type = 'health_window_passed'
                    UNION ALL
                    SELECT e.repository, e.base, (
                        SELECT m.content ->> '$.payload.base_commit' FROM self_extension_events m
                        WHERE m.run_id = e.run_id AND m.event_type = 'merge_started' AND m.sequence < e.sequence
                        ORDER BY m.sequence DESC LIMIT 1
                    ), e.id, 1, e.id
                    FROM self_extension_events e WHERE e.event_type = 'promoted' AND e.content ->> '$.payload.health' IS NOT NULL
                ) c
                WHERE c.commit_sha IS NOT NULL AND c.repository IS NOT NULL AND c.base IS NOT NULL
            ) n WHERE n.number = 1) s ON s.repository = b.repository AND s.base = b.base
            WHERE b.repository IS NULL OR s.repository IS NULL OR b.commit_sha <> s.commit_sha OR b.event <> s.id
            UNION ALL
            SELECT 'the promotion control says ' || coalesce(s.value, 'nothing') || ', but its last event says paused = '
                || iif(c.paused, 'true', 'false') || ', allow_rollbacks = ' || iif(c.allow_rollbacks, 'true', 'false')
            FROM (
                SELECT coalesce(max(l.payload ->> '$.paused'), 0) AS paused,
                       coalesce(max(l.payload ->> '$.allow_rollbacks'), 0) AS allow_rollbacks
                FROM (
                    SELECT e.payload FROM self_extension_events e
                    WHERE e.run_id = 'control' AND e.event_type = 'promotion_pause_changed'
                    ORDER BY e.sequence DESC LIMIT 1
                ) l
            ) c LEFT JOIN (
                SELECT a.value, iif(json_valid(a.value), a.value, '{}') AS read FROM agent_state a
                WHERE a.key = 'self_extension:promotion_control'
            ) s
            WHERE s.read ->> '$.paused' IS NOT c.paused
               OR coalesce(s.read ->> '$.allow_rollbacks', 0) IS NOT c.allow_rollbacks
            UNION ALL
            SELECT 'number ' || coalesce(e.sequence, 'nothing') || ' of ' || coalesce(e.run_id, 'nothing')
                || ' stands at no position, one of ' || e.events || ' such events: its id is ' || e.id
            FROM (
                SELECT n.*, count(*) OVER () AS events FROM self_extension_events n
                WHERE n.id < 1 ORDER BY n.run_id, n.sequence LIMIT 1
            ) e";
        let rows = traced(CONTRADICTIONS, sqlx::query(CONTRADICTIONS).fetch_all(&self.database.reader)).await?;
        Ok(rows.iter().map(|row| sentence(column(row, 0))).collect())
    }
}
