//! The ledger as it is stored on Postgres, and its checkpoints.

use std::sync::Arc;

use async_trait::async_trait;
use selfext_domain::Position;
use selfext_domain::ports::{Archive, LedgerError, LedgerRows, StoredCheckpoint};
use sqlx::postgres::PgRow;
use sqlx::{Connection as _, Row as _};

use super::Connections;
use super::copied::{Copied, FIELDS};
use super::errors::reading;
use crate::archive::{checkpoint, position, sentence};
use crate::request::signed;

/// The archive on Postgres.
#[derive(Clone, Debug)]
pub struct PgArchive {
    connections: Arc<Connections>,
}

impl PgArchive {
    pub(crate) const fn new(connections: Arc<Connections>) -> Self {
        Self { connections }
    }

    async fn checkpoints(
        &self,
        sql: &'static str,
        size: u64,
        limit: u32,
    ) -> Result<Vec<StoredCheckpoint>, LedgerError> {
        let statement = || sqlx::query(sql).bind(signed(size)).bind(i64::from(limit));
        let rows = self.connections.fetch(statement).await.map_err(reading)?;
        let read = |row: &PgRow| {
            let number = |at: usize| row.try_get(at).unwrap_or_default();
            let text = |at: usize| row.try_get(at).unwrap_or_default();
            checkpoint(number(0), position(number(1), number(2)), text(3), text(4))
        };
        Ok(rows.iter().map(read).collect())
    }
}

#[async_trait]
impl Archive for PgArchive {
    async fn rows_after(&self, position: Position, limit: u32) -> Result<LedgerRows, LedgerError> {
        let Position { transaction, id } = position;
        let statement = format!(
            "COPY (
                SELECT {FIELDS} FROM public.self_extension_events e
                WHERE (e.transaction_id, e.id) > ('{transaction}'::xid8, {}) AND e.id > 0
                  AND e.transaction_id < pg_snapshot_xmin(pg_current_snapshot())
                ORDER BY e.transaction_id, e.id LIMIT {limit}
            ) TO STDOUT (FORMAT binary)",
            signed(id)
        );
        let copied = self.connections.copy(&statement, Copied::take).await.map_err(reading)?;
        Ok(copied.into_rows())
    }

    async fn checkpoints_after(&self, size: u64, limit: u32) -> Result<Vec<StoredCheckpoint>, LedgerError> {
        const CHECKPOINTS: &str = "SELECT c.size, c.transaction_id::text::bigint, c.id, c.frontier, c.note
            FROM public.self_extension_checkpoints c WHERE c.size > $1 ORDER BY c.size LIMIT $2";
        self.checkpoints(CHECKPOINTS, size, limit).await
    }

    async fn last_checkpoint(&self) -> Result<Option<StoredCheckpoint>, LedgerError> {
        const LAST: &str = "SELECT c.size, c.transaction_id::text::bigint, c.id, c.frontier, c.note
            FROM public.self_extension_checkpoints c WHERE c.size > $1 ORDER BY c.size DESC LIMIT $2";
        Ok(self.checkpoints(LAST, 0, 1).await?.pop())
    }

    async fn add_checkpoint(&self, checkpoint: &StoredCheckpoint, after: u64) -> Result<bool, LedgerError> {
        const SEAL: &str = "SELECT public.self_extension_seal($1, $2, $3::text::xid8, $4, $5, $6)";
        let StoredCheckpoint { size, position, frontier, note } = checkpoint;
        let statement = || {
            sqlx::query(SEAL)
                .bind((after > 0).then(|| signed(after)))
                .bind(signed(*size))
                .bind(position.transaction.to_string())
                .bind(signed(position.id))
                .bind(frontier)
                .bind(note)
        };
        let rows = self.connections.fetch(statement).await.map_err(reading)?;
        rows.first().map_or(Ok(false), |row| row.try_get(0)).map_err(reading)
    }

    async fn contradictions(&self) -> Result<Vec<String>, LedgerError> {
        const CONTRADICTIONS: &str = "
            SELECT 'the run ' || o.run_id || ' is listed as open, but it is over, or never began'
            FROM public.self_extension_open_runs o
            WHERE NOT EXISTS (SELECT FROM public.self_extension_events e
                              WHERE e.run_id = o.run_id AND e.id = o.proposed AND e.event_type = 'proposed')
               OR EXISTS (SELECT FROM public.self_extension_events e
                          WHERE e.run_id = o.run_id AND e.event_type IN ('promoted', 'failed', 'run_abandoned'))
            UNION ALL
            SELECT 'the run ' || p.run_id || ' is open, but is not listed as open'
            FROM public.self_extension_events p
            WHERE p.event_type = 'proposed'
              AND NOT EXISTS (SELECT FROM public.self_extension_open_runs o WHERE o.run_id = p.run_id)
              AND NOT EXISTS (SELECT FROM public.self_extension_events e
                              WHERE e.run_id = p.run_id AND e.event_type IN ('promoted', 'failed', 'run_abandoned'))
            UNION ALL
            SELECT 'the run ' || o.run_id || ' is listed with another merge permit than its events say'
            FROM public.self_extension_open_runs o
            WHERE o.permit IS DISTINCT FROM (
                SELECT m.id FROM public.self_extension_events m
                WHERE m.run_id = o.run_id AND m.event_type = 'merge_started' AND NOT EXISTS (
                    SELECT FROM public.self_extension_events l
                    WHERE l.run_id = m.run_id AND l.sequence > m.sequence
                      AND l.event_type IN ('merge_started', 'promotion_blocked')))
            UNION ALL
            SELECT 'the run ' || w.run_id || ' is listed as holding others back, but otherwise than its events say'
            FROM public.self_extension_watched_runs w
            WHERE NOT EXISTS (
                SELECT FROM public.self_extension_events e JOIN public.self_extension_events p ON p.run_id = e.run_id
                WHERE e.id = w.event AND e.run_id = w.run_id AND e.event_type = w.event_type
                  AND e.payload ->> 'rollback_run' IS NOT DISTINCT FROM w.rollback_run
                  AND p.id = w.promoted AND p.event_type = 'promoted' AND p.repository = w.repository AND p.base = w.base
                  AND NOT EXISTS (
                    SELECT FROM public.self_extension_events l
                    WHERE l.run_id = e.run_id AND l.sequence > e.sequence
                      AND l.event_type IN ('health_window_passed', 'health_window_failed', 'rollback_started', 'rolled_back',
                                           'rollback_failed', 'rollback_acknowledged')))
            UNION ALL
            SELECT 'the run ' || e.run_id || ' holds others back, but is not listed so'
            FROM public.self_extension_events e
            WHERE (e.event_type IN ('health_window_failed', 'rollback_started', 'rollback_failed')
                   OR (e.event_type = 'promoted' AND e.payload ->> 'health' IS NOT NULL))
              AND NOT EXISTS (SELECT FROM public.self_extension_watched_runs w WHERE w.run_id = e.run_id)
              AND EXISTS (SELECT FROM public.self_extension_events p
                          WHERE p.run_id = e.run_id AND p.event_type = 'promoted' AND p.sequence <= e.sequence)
              AND NOT EXISTS (
                SELECT FROM public.self_extension_events l
                WHERE l.run_id = e.run_id AND l.sequence > e.sequence
                  AND l.event_type IN ('health_window_passed', 'health_window_failed', 'rollback_started', 'rolled_back',
                                       'rollback_failed', 'rollback_acknowledged'))
            UNION ALL
            SELECT 'the baseline of ' || coalesce(b.repository, s.repository) || ' ' || coalesce(b.base, s.base) || ' is '
                || coalesce(b.commit_sha, 'nothing') || ', but its events say ' || coalesce(s.commit_sha, 'nothing')
            FROM public.self_extension_baselines b FULL JOIN (SELECT n.* FROM (
                SELECT c.repository, c.base, c.commit_sha, c.id,
                       row_number() OVER (PARTITION BY c.repository, c.base ORDER BY c.seeds, c.first) AS number
                FROM (
                    SELECT e.repository, e.base, e.payload ->> 'commit' AS commit_sha, e.id, 0 AS seeds, -e.id AS first
                    FROM public.self_extension_events e WHERE e.event_type = 'health_window_passed'
                    UNION ALL
                    SELECT e.repository, e.base, (
                        SELECT m.payload ->> 'base_commit' FROM public.self_extension_events m
                        WHERE m.run_id = e.run_id AND m.event_type = 'merge_started' AND m.sequence < e.sequence
                        ORDER BY m.sequence DESC LIMIT 1
                    ), e.id, 1, e.id
                    FROM public.self_extension_events e WHERE e.event_type = 'promoted' AND e.payload ->> 'health' IS NOT NULL
                ) c
                WHERE c.commit_sha IS NOT NULL AND c.repository IS NOT NULL AND c.base IS NOT NULL
            ) n WHERE n.number = 1) s ON s.repository = b.repository AND s.base = b.base
            WHERE b.repository IS NULL OR s.repository IS NULL OR b.commit_sha <> s.commit_sha OR b.event <> s.id
            UNION ALL
            SELECT 'the promotion control says ' || coalesce(s.value::text, 'nothing') || ', but its last event says paused = '
                || c.paused || ', allow_rollbacks = ' || c.allow_rollbacks
            FROM (
                SELECT coalesce(max(l.payload ->> 'paused'), 'false') AS paused,
                       coalesce(max(l.payload ->> 'allow_rollbacks'), 'false') AS allow_rollbacks
                FROM (
                    SELECT e.payload FROM public.self_extension_events e
                    WHERE e.run_id = 'control' AND e.event_type = 'promotion_pause_changed'
                    ORDER BY e.sequence DESC LIMIT 1
                ) l
            ) c LEFT JOIN public.agent_state s ON s.key = 'self_extension:promotion_control'
            WHERE (s.value ->> 'paused', coalesce(s.value ->> 'allow_rollbacks', 'false'))
                IS DISTINCT FROM (c.paused, c.allow_rollbacks)
            UNION ALL
            SELECT 'number ' || coalesce(e.sequence::text, 'nothing') || ' of ' || coalesce(e.run_id, 'nothing')
                || ' stands at no position, one of ' || e.events || ' such events: its transaction is '
                || coalesce(e.transaction_id::text, 'nothing') || ', its id ' || coalesce(e.id::text, 'nothing')
            FROM (
                SELECT n.*, count(*) OVER () AS events FROM public.self_extension_events n
                WHERE n.id < 1 OR n.id IS NULL OR n.transaction_id IS NULL
                   -- It has not begun.
                   OR n.transaction_id >= pg_snapshot_xmax(pg_current_snapshot())
                ORDER BY n.run_id, n.sequence LIMIT 1
            ) e";
        // It reads every run, which takes longer than the limit of any other statement where there are millions.
        let mut connection = self.connections.dedicated().await.map_err(reading)?;
        let rows = sqlx::query(CONTRADICTIONS).fetch_all(&mut connection).await.map_err(reading)?;
        connection.close().await.map_err(reading)?;
        Ok(rows.iter().map(|row| sentence(row.try_get(0).unwrap_or_default())).collect())
    }
}
