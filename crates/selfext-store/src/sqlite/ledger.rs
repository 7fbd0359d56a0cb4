//! The ledger on SQLite. There are no round trips: the file is read and written in this process.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use selfext_domain::ports::{Follower, Ledger, LedgerError, MergeGrant};
use selfext_domain::{
    BranchName, Event, EventId, HealthStanding, PermitTerms, Position, RecordedEvent, RepositoryName, RunId, StreamId,
    Subject, Tip, guard_pause,
};
use sqlx::Row as _;
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments};

use super::SqliteDatabase;
use super::columns::{EVENT_COLUMNS, control_row, event_columns, event_row, event_rows};
use super::database::{to_its_end, traced};
use super::errors::{cut_off, failed};
use super::follower::SqliteFollower;
use super::transaction::{Found, OPEN_PERMITS, Writing};
use super::watched::TakesBack;
use crate::permit;
use crate::request::{self, Batch, MergeRequest, Proposal, Ready, signed};
use crate::row::{EventRow, recorded, recorded_stream};
use crate::standing::{baseline_commit, seconds};
use crate::stored_text::stored;

/// The ledger in a SQLite file.
///
/// What writes goes on to its end also if the caller stops waiting; whether it was done is then not known, and the same call
/// may be repeated.
#[derive(Clone, Debug)]
pub struct SqliteLedger {
    database: Arc<SqliteDatabase>,
    poll: Duration,
}

impl SqliteLedger {
    pub(crate) const fn new(database: Arc<SqliteDatabase>, poll: Duration) -> Self {
        Self { database, poll }
    }

    async fn rows(&self, statement: Query<'_, Sqlite, SqliteArguments>) -> Result<Vec<EventRow>, LedgerError> {
        let rows = traced("SELECT", statement.fetch_all(&self.database.reader)).await?;
        event_rows(&rows).map_err(failed)
    }
}

#[async_trait]
impl Ledger for SqliteLedger {
    async fn append(&self, event: &Event, after: Tip) -> Result<RecordedEvent, LedgerError> {
        let ready = request::appended(event)?;
        if let Some(mut written) = self.database.append(vec![ready], after).await?
            && let Some(recorded) = written.pop()
        {
            return Ok(recorded);
        }
        // Why it was refused, or what was recorded before.
        let (database, event) = (Arc::clone(&self.database), event.clone());
        let work = async move {
            let Ready { content, .. } = request::appended(&event)?;
            let mut writing = Writing::begin(&database).await?;
            let last = match writing.find_or_last(&event, &content).await? {
                Found::Recorded(recorded) => return Ok(*recorded),
                Found::Last(last) => last,
            };
            if last != after {
                return Err(request::misplaced(&event.stream, after, last.sequence));
            }
            let recorded = writing.insert(&content, last).await?;
            writing.commit().await?;
            Ok(recorded)
        };
        to_its_end(work).await.ok_or_else(cut_off)?
    }

    async fn append_all(&self, events: &[Event], after: Tip) -> Result<Vec<RecordedEvent>, LedgerError> {
        let Some(Batch { events: ready, .. }) = Batch::of(events)? else { return Ok(Vec::new()) };
        if let Some(recorded) = self.database.append(ready, after).await? {
            return Ok(recorded);
        }
        let (database, events) = (Arc::clone(&self.database), events.to_vec());
        let work = async move {
            let Some(Batch { stream, events: ready }) = Batch::of(&events)? else { return Ok(Vec::new()) };
            let mut writing = Writing::begin(&database).await?;
            let mut recorded = Vec::with_capacity(events.len());
            for Ready { event, content } in &ready {
                recorded.extend(writing.find(event.id, content).await?);
            }
            if recorded.len() == events.len() {
                return Ok(recorded);
            }
            if !recorded.is_empty() {
                return Err(request::recorded_in_part());
            }
            let mut last = writing.last(stream.as_str()).await?;
            if last != after {
                return Err(request::misplaced(stream, after, last.sequence));
            }
            for Ready { content, .. } in &ready {
                let next = writing.insert(content, last).await?;
                last = Tip { sequence: next.sequence, hash: next.link.hash };
                recorded.push(next);
            }
            writing.commit().await?;
            Ok(recorded)
        };
        to_its_end(work).await.ok_or_else(cut_off)?
    }

    async fn propose(&self, event: &Event, after: Option<RunId>) -> Result<RecordedEvent, LedgerError> {
        let (database, event) = (Arc::clone(&self.database), event.clone());
        let work = async move {
            let Proposal { subject, content, .. } = Proposal::of(&event)?;
            let mut writing = Writing::begin(&database).await?;
            if let Some(recorded) = writing.find(event.id, &content).await? {
                return Ok(recorded);
            }
            let latest = writing.latest_run(subject).await?;
            if latest != after {
                return Err(request::run_exists(latest, after.as_ref()));
            }
            let last = writing.last(event.stream.as_str()).await?;
            if last != Tip::START {
                return Err(request::misplaced(&event.stream, Tip::START, last.sequence));
            }
            let recorded = writing.insert(&content, last).await?;
            writing.commit().await?;
            Ok(recorded)
        };
        to_its_end(work).await.ok_or_else(cut_off)?
    }

    async fn stream_events(&self, stream: &StreamId) -> Result<Vec<RecordedEvent>, LedgerError> {
        const EVENTS: &str = concat!(
            "SELECT ",
            event_columns!("e"),
            " FROM self_extension_events e WHERE e.run_id = ?1 ORDER BY e.sequence"
        );
        recorded_stream(self.rows(sqlx::query(EVENTS).bind(stored(stream.as_str()))).await?)
    }

    async fn latest_run(&self, subject: &Subject) -> Result<Vec<RecordedEvent>, LedgerError> {
        const EVENTS: &str = concat!(
            "SELECT ",
            event_columns!("e"),
            " FROM self_extension_events e WHERE e.run_id = (
                SELECT p.run_id FROM self_extension_events p
                WHERE p.event_type = 'proposed' AND p.repository = ?1 AND p.base = ?2 AND p.fingerprint = ?3
                ORDER BY p.id DESC LIMIT 1
              ) ORDER BY e.sequence"
        );
        let statement = sqlx::query(EVENTS)
            .bind(stored(subject.repository.as_str()))
            .bind(stored(subject.base.as_str()))
            .bind(subject.fingerprint.to_string());
        recorded_stream(self.rows(statement).await?)
    }

    async fn begin_merge(&self, event: &Event, after: Tip) -> Result<MergeGrant, LedgerError> {
        let (database, event) = (Arc::clone(&self.database), event.clone());
        let work = async move {
            let merge = MergeRequest::of(&event)?;
            let mut writing = Writing::begin(&database).await?;
            let last = writing.last(event.stream.as_str()).await?;
            if let Some(recorded) = writing.find(event.id, &merge.content).await? {
                let open = recorded.sequence == last.sequence;
                return if open { permit::granted(recorded) } else { Err(permit::closed(merge.run)) };
            }
            let takes_back = writing.takes_back(&merge).await?;
            let started = takes_back.as_ref().and_then(|takes_back| takes_back.started);
            if let Err(refusal) = guard_pause(writing.control().await.as_ref(), started.is_some()) {
                return Ok(MergeGrant::Refused(refusal));
            }
            if last != after {
                return Err(request::misplaced(&event.stream, after, last.sequence));
            }
            let own = writing.own_permit(merge.run).await?;
            if own.is_none() {
                if let Some(other) = writing.in_flight(&merge).await? {
                    return Ok(permit::in_flight(&other));
                }
                if !writing.is_open(&merge).await? {
                    return Err(permit::not_open(merge.run));
                }
                if let Some(TakesBack { target, started: None }) = &takes_back {
                    return Ok(permit::no_rollback(target, merge.run));
                }
                if let Some(last) = writing.held_back(&merge, started).await? {
                    return permit::held_back(&last);
                }
                if let Some(other) = writing.promoted_since_tested(&merge).await? {
                    return Ok(permit::base_moved(&other));
                }
            }
            let recorded = writing.insert(&merge.content, last).await?;
            if let Some(own) = own {
                let same = permit::terms(&recorded)?.is_of_the_same_merge_as(&permit::terms(&own)?);
                if own.sequence != last.sequence || !same {
                    // The transaction is dropped, and with it what was written.
                    return Err(permit::other_merge(merge.run));
                }
            }
            writing.commit().await?;
            permit::granted(recorded)
        };
        to_its_end(work).await.ok_or_else(cut_off)?
    }

    async fn reopen_merge(&self, run: &RunId, permit: EventId) -> Result<MergeGrant, LedgerError> {
        const PERMIT: &str = concat!(
            "SELECT ",
            event_columns!("e"),
            ", s.value, s.updated_at, EXISTS (
                SELECT 1 FROM self_extension_watched_runs w
                WHERE w.run_id = p.content ->> '$.payload.rollback_of' AND w.event_type = 'rollback_started'
                  AND w.rollback_run = o.run_id AND w.repository = o.repository AND w.base = o.base)
             FROM self_extension_open_runs o
             JOIN self_extension_events e ON e.id = o.permit
             JOIN self_extension_events p ON p.id = o.proposed
             LEFT JOIN agent_state s ON s.key = 'self_extension:promotion_control'
             WHERE o.run_id = ?1 AND e.event_id = ?2 AND NOT EXISTS (
                SELECT 1 FROM self_extension_events later WHERE later.run_id = e.run_id AND later.sequence > e.sequence)"
        );
        let statement = sqlx::query(PERMIT).bind(stored(run.as_str())).bind(permit.to_string());
        let row = traced(PERMIT, statement.fetch_optional(&self.database.reader)).await?;
        let row = row.ok_or_else(|| permit::closed(run))?;
        let control = control_row(&row, EVENT_COLUMNS).map_err(failed)?;
        let rollback: bool = row.try_get(EVENT_COLUMNS + 2).map_err(failed)?;
        let event = event_row(&row).map_err(failed)?.into_recorded()?;
        permit::reopened(event, &control.read(), rollback)
    }

    async fn time(&self) -> Result<DateTime<Utc>, LedgerError> {
        const TIME: &str = "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";
        traced(TIME, sqlx::query_scalar(TIME).fetch_one(&self.database.reader)).await
    }

    async fn open_permits(&self) -> Result<Vec<PermitTerms>, LedgerError> {
        recorded(self.rows(sqlx::query(OPEN_PERMITS)).await?)?.iter().map(permit::terms).collect()
    }

    async fn open_runs(&self) -> Result<Vec<RunId>, LedgerError> {
        const RUNS: &str = "SELECT o.run_id FROM self_extension_open_runs o ORDER BY o.proposed";
        let rows = traced(RUNS, sqlx::query(RUNS).fetch_all(&self.database.reader)).await?;
        rows.iter().map(|row| request::run_id(&row.try_get::<String, _>(0).map_err(failed)?)).collect()
    }

    async fn health_standing(
        &self,
        repository: &RepositoryName,
        base: &BranchName,
        within: Duration,
    ) -> Result<HealthStanding, LedgerError> {
        const STANDING: &str = "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
            (SELECT json_group_array(w.run_id) FROM (
                SELECT o.run_id FROM self_extension_watched_runs o
                WHERE o.repository = ?1 AND o.base = ?2 ORDER BY o.promoted) w),
            (SELECT b.commit_sha FROM self_extension_baselines b WHERE b.repository = ?1 AND b.base = ?2),
            (SELECT count(*) FROM self_extension_events e
             WHERE e.event_type IN ('rolled_back', 'rollback_failed') AND e.repository = ?1 AND e.base = ?2
               AND e.created_at >= strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?3)
               AND e.id > coalesce((
                   SELECT r.id FROM self_extension_events r
                   WHERE r.run_id = 'control' AND r.event_type = 'promotion_pause_changed' AND NOT r.payload ->> '$.paused'
                   ORDER BY r.sequence DESC LIMIT 1), 0))";
        let statement = sqlx::query(STANDING)
            .bind(stored(repository.as_str()))
            .bind(stored(base.as_str()))
            .bind(format!("-{:.3} seconds", seconds(within)));
        let row = traced(STANDING, statement.fetch_one(&self.database.reader)).await?;
        let watched: Vec<String> = serde_json::from_str(row.try_get(1).map_err(failed)?)
            .map_err(|_| LedgerError::Corrupt { detail: "the list of watched runs is none".to_owned() })?;
        let baseline: Option<&str> = row.try_get(2).map_err(failed)?;
        let rollbacks: i64 = row.try_get(3).map_err(failed)?;
        Ok(HealthStanding {
            watched: watched.iter().map(|run| request::run_id(run)).collect::<Result<_, _>>()?,
            baseline: baseline.map(baseline_commit).transpose()?,
            rollbacks: u64::try_from(rollbacks).unwrap_or_default(),
            now: row.try_get(0).map_err(failed)?,
        })
    }

    async fn read_after(&self, position: Position, limit: u32) -> Result<Vec<RecordedEvent>, LedgerError> {
        const EVENTS: &str = concat!(
            "SELECT ",
            event_columns!("e"),
            " FROM self_extension_events e WHERE e.id > ?1 ORDER BY e.id LIMIT ?2"
        );
        recorded(self.rows(sqlx::query(EVENTS).bind(signed(position.id)).bind(i64::from(limit))).await?)
    }

    fn follow(&self, after: Position) -> Box<dyn Follower> {
        Box::new(SqliteFollower::new(Arc::clone(&self.database), after, self.poll))
    }
}
