//! The ledger on Postgres: each method is one statement, which is one transaction and one round trip. Only an append that does not
//! find what its writer expects takes a second one, which says why.
//!
//! The first use of a statement on a new connection prepares it, which is a round trip of its own.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use selfext_domain::ports::{Follower, Ledger, LedgerError, MergeGrant};
use selfext_domain::{
    BranchName, Event, EventId, HealthStanding, PermitTerms, Position, RecordedEvent, RepositoryName, RunId, StreamId,
    Subject, Tip,
};
use sqlx::Row as _;
use sqlx::postgres::PgRow;

use super::Connections;
use super::answer::{Answer, call};
use super::columns::{EVENT_COLUMNS, control_row, event_columns, event_row, event_rows};
use super::connections::Statement;
use super::errors::{is_misplaced, reading, writing};
use super::follower::PgFollower;
use super::written::{append, written};
use crate::permit;
use crate::request::{self, Batch, MergeRequest, Proposal, signed};
use crate::row::{EventRow, recorded, recorded_stream};
use crate::standing::{baseline_commit, seconds};
use crate::stored_text::stored;

/// The open permits with their events, oldest first.
const OPEN_PERMITS: &str = concat!(
    "SELECT ",
    event_columns!("e"),
    " FROM public.self_extension_open_runs o JOIN public.self_extension_events e ON e.id = o.permit
      WHERE o.permit IS NOT NULL ORDER BY e.id"
);

/// The ledger on Postgres.
#[derive(Clone, Debug)]
pub struct PgLedger {
    connections: Arc<Connections>,
    poll: Duration,
}

impl PgLedger {
    pub(crate) const fn new(connections: Arc<Connections>, poll: Duration) -> Self {
        Self { connections, poll }
    }

    async fn rows<'q>(
        &self,
        statement: impl Fn() -> Statement<'q> + Send + Sync,
    ) -> Result<Vec<EventRow>, LedgerError> {
        let rows = self.connections.fetch(statement).await.map_err(reading)?;
        event_rows(&rows).map_err(reading)
    }

    /// Writes where a stream ends as its writer thinks; `None` if it does not.
    async fn write<'q>(
        &self,
        statement: impl Fn() -> Statement<'q> + Send + Sync,
    ) -> Result<Option<Vec<PgRow>>, sqlx::Error> {
        match self.connections.fetch(statement).await {
            Ok(rows) => {
                self.connections.wake_followers();
                Ok(Some(rows))
            }
            Err(error) if is_misplaced(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn call<'q>(
        &self,
        event: &Event,
        statement: impl Fn() -> Statement<'q> + Send + Sync,
    ) -> Result<Answer, LedgerError> {
        let rows = self.connections.fetch(statement).await.map_err(|error| writing(error, event.id))?;
        let answer = Answer::of(&rows).map_err(reading)?;
        if answer.is_recorded() {
            self.connections.wake_followers();
        }
        Ok(answer)
    }
}

#[async_trait]
impl Ledger for PgLedger {
    /// One round trip where the stream ends as the caller thinks, two where it does not.
    async fn append(&self, event: &Event, after: Tip) -> Result<RecordedEvent, LedgerError> {
        let ready = request::appended(event)?;
        let (sequence, before) = (signed(after.sequence.saturating_add(1)), after.hash.as_bytes().as_slice());
        let function = if event.body.is_an_operators() {
            call!("self_extension_append_as_operator($1, $2, $3, $4, $5)")
        } else {
            let statement =
                || sqlx::query(append!("VALUES ($1, $2, $3)")).bind(&ready.content).bind(sequence).bind(before);
            if let Some(rows) = self.write(statement).await.map_err(|error| writing(error, event.id))? {
                let mut events = written(&rows, vec![ready], after)?;
                return events.pop().ok_or_else(|| LedgerError::unavailable("the database told nothing"));
            }
            call!("self_extension_append($1, $2, $3, $4, $5)")
        };
        let run = stored(event.stream.as_str());
        let answer = self
            .call(event, || {
                sqlx::query(function)
                    .bind(event.id.as_uuid())
                    .bind(&*run)
                    .bind(&ready.content)
                    .bind(sequence)
                    .bind(before)
            })
            .await?;
        match answer.outcome.as_str() {
            "recorded" => answer.event(),
            "id-reused" => Err(LedgerError::IdReused(event.id)),
            "conflict" | "diverged" => Err(request::misplaced(&event.stream, after, answer.actual())),
            _ => Err(answer.unforeseen()),
        }
    }

    /// One round trip where the stream ends as the caller thinks, two where it does not.
    async fn append_all(&self, events: &[Event], after: Tip) -> Result<Vec<RecordedEvent>, LedgerError> {
        const NEXT: &str = append!(
            "SELECT given.content, given.sequence, CASE WHEN given.sequence = ($2::bigint[])[1] THEN $3 END
             FROM unnest($1::text[], $2::bigint[]) AS given (content, sequence) ORDER BY given.sequence"
        );
        let Some(Batch { stream, events: ready }) = Batch::of(events)? else { return Ok(Vec::new()) };
        let contents: Vec<_> = ready.iter().map(|ready| &*ready.content).collect();
        let number = |nth: u64| signed(after.sequence.saturating_add(nth));
        let sequences: Vec<_> = (1..).zip(&contents).map(|(nth, _)| number(nth)).collect();
        let before = after.hash.as_bytes().as_slice();
        let statement = || sqlx::query(NEXT).bind(&contents).bind(&sequences).bind(before);
        if let Some(rows) = self.write(statement).await.map_err(reading)? {
            return written(&rows, ready, after);
        }
        let run = stored(stream.as_str());
        let ids: Vec<_> = events.iter().map(|event| *event.id.as_uuid()).collect();
        let statement = || {
            sqlx::query(call!("self_extension_append_all($1, $2, $3, $4, $5)"))
                .bind(&ids)
                .bind(&*run)
                .bind(&contents)
                .bind(number(1))
                .bind(before)
        };
        let rows = self.connections.fetch(statement).await.map_err(reading)?;
        let answer = Answer::of(&rows).map_err(reading)?;
        if answer.is_recorded() {
            self.connections.wake_followers();
        }
        match answer.outcome.as_str() {
            "recorded" => rows.iter().map(|row| Answer::of_row(row).map_err(reading)?.event()).collect(),
            "id-reused" => Err(LedgerError::IdReused(answer.event()?.event.id)),
            "recorded-in-part" => Err(request::recorded_in_part()),
            "conflict" | "diverged" => Err(request::misplaced(stream, after, answer.actual())),
            _ => Err(answer.unforeseen()),
        }
    }

    async fn propose(&self, event: &Event, after: Option<RunId>) -> Result<RecordedEvent, LedgerError> {
        let Proposal { run, subject, content } = Proposal::of(event)?;
        let after_stored = after.as_ref().map(|run| stored(run.as_str()));
        let answer = self
            .call(event, || {
                sqlx::query(call!("self_extension_propose($1, $2, $3, $4, $5, $6, $7)"))
                    .bind(event.id.as_uuid())
                    .bind(stored(run.as_str()))
                    .bind(&content)
                    .bind(stored(subject.repository.as_str()))
                    .bind(stored(subject.base.as_str()))
                    .bind(subject.fingerprint.to_string())
                    .bind(after_stored.as_deref())
            })
            .await?;
        match answer.outcome.as_str() {
            "recorded" => answer.event(),
            "id-reused" => Err(LedgerError::IdReused(event.id)),
            "conflict" => Err(request::misplaced(&event.stream, Tip::START, answer.actual())),
            "run-exists" => Err(request::run_exists(answer.other_run()?, after.as_ref())),
            _ => Err(answer.unforeseen()),
        }
    }

    async fn stream_events(&self, stream: &StreamId) -> Result<Vec<RecordedEvent>, LedgerError> {
        const EVENTS: &str = concat!(
            "SELECT ",
            event_columns!("e"),
            " FROM public.self_extension_events e WHERE e.run_id = $1 ORDER BY e.sequence"
        );
        let rows = self.rows(|| sqlx::query(EVENTS).bind(stored(stream.as_str()))).await?;
        recorded_stream(rows)
    }

    async fn latest_run(&self, subject: &Subject) -> Result<Vec<RecordedEvent>, LedgerError> {
        const EVENTS: &str = concat!(
            "SELECT ",
            event_columns!("e"),
            " FROM public.self_extension_events e WHERE e.run_id = (
                SELECT p.run_id FROM public.self_extension_events p
                WHERE p.event_type = 'proposed' AND p.repository = $1 AND p.base = $2 AND p.fingerprint = $3
                ORDER BY p.id DESC LIMIT 1
              ) ORDER BY e.sequence"
        );
        let rows = self
            .rows(|| {
                sqlx::query(EVENTS)
                    .bind(stored(subject.repository.as_str()))
                    .bind(stored(subject.base.as_str()))
                    .bind(subject.fingerprint.to_string())
            })
            .await?;
        recorded_stream(rows)
    }

    async fn begin_merge(&self, event: &Event, after: Tip) -> Result<MergeGrant, LedgerError> {
        let MergeRequest { run, subject, pull_request, content } = MergeRequest::of(event)?;
        let answer = self
            .call(event, || {
                sqlx::query(call!("self_extension_begin_merge($1, $2, $3, $4, $5, $6, $7, $8)"))
                    .bind(event.id.as_uuid())
                    .bind(stored(run.as_str()))
                    .bind(&content)
                    .bind(signed(after.sequence.saturating_add(1)))
                    .bind(after.hash.as_bytes().as_slice())
                    .bind(stored(subject.repository.as_str()))
                    .bind(stored(subject.base.as_str()))
                    .bind(signed(pull_request.get()))
            })
            .await?;
        match answer.outcome.as_str() {
            "recorded" => permit::granted(answer.event()?),
            "control" => Ok(permit::refused_by_control(&answer.control.read())),
            "merge-in-flight" => {
                answer.other_run()?.map(|other| permit::in_flight(&other)).ok_or_else(|| answer.unforeseen())
            }
            "held-back" => permit::held_back(&answer.event()?),
            "no-rollback" => {
                answer.other_run()?.map(|target| permit::no_rollback(&target, run)).ok_or_else(|| answer.unforeseen())
            }
            "base-moved" => {
                answer.other_run()?.map(|other| permit::base_moved(&other)).ok_or_else(|| answer.unforeseen())
            }
            "id-reused" => Err(LedgerError::IdReused(event.id)),
            "conflict" | "diverged" => Err(request::misplaced(&event.stream, after, answer.actual())),
            "permit-closed" => Err(permit::closed(run)),
            "other-merge" => Err(permit::other_merge(run)),
            "not-open" => Err(permit::not_open(run)),
            _ => Err(answer.unforeseen()),
        }
    }

    /// One round trip. Permit and control are read in one statement without a lock: a pause that comes later finds the
    /// permit open, and one that came before is seen.
    async fn reopen_merge(&self, run: &RunId, permit: EventId) -> Result<MergeGrant, LedgerError> {
        const PERMIT: &str = concat!(
            "SELECT ",
            event_columns!("e"),
            ", s.value::text, s.updated_at, public.self_extension_history(), public.self_extension_rollback_of(
                o.run_id, p.payload ->> 'rollback_of', o.repository, o.base) IS NOT NULL
             FROM public.self_extension_open_runs o
             JOIN public.self_extension_events e ON e.id = o.permit
             JOIN public.self_extension_events p ON p.id = o.proposed
             LEFT JOIN public.agent_state s ON s.key = 'self_extension:promotion_control'
             WHERE o.run_id = $1 AND e.event_id = $2 AND NOT EXISTS (
                SELECT FROM public.self_extension_events later WHERE later.run_id = e.run_id AND later.sequence > e.sequence)"
        );
        let statement = || sqlx::query(PERMIT).bind(stored(run.as_str())).bind(permit.as_uuid());
        let rows = self.connections.fetch(statement).await.map_err(reading)?;
        let row = rows.first().ok_or_else(|| permit::closed(run))?;
        let control = control_row(row, EVENT_COLUMNS).map_err(reading)?;
        let rollback: bool = row.try_get(EVENT_COLUMNS + 3).map_err(reading)?;
        let event = event_row(row).map_err(reading)?.into_recorded()?;
        permit::reopened(event, &control.read(), rollback)
    }

    async fn time(&self) -> Result<DateTime<Utc>, LedgerError> {
        let rows = self.connections.fetch(|| sqlx::query("SELECT clock_timestamp()")).await.map_err(reading)?;
        let row = rows.first().ok_or_else(|| LedgerError::unavailable("the database told no time"))?;
        row.try_get(0).map_err(reading)
    }

    async fn open_permits(&self) -> Result<Vec<PermitTerms>, LedgerError> {
        let rows = self.rows(|| sqlx::query(OPEN_PERMITS)).await?;
        recorded(rows)?.iter().map(permit::terms).collect()
    }

    async fn open_runs(&self) -> Result<Vec<RunId>, LedgerError> {
        const RUNS: &str = "SELECT o.run_id FROM public.self_extension_open_runs o ORDER BY o.proposed";
        let rows = self.connections.fetch(|| sqlx::query(RUNS)).await.map_err(reading)?;
        rows.iter().map(|row| request::run_id(&row.try_get::<String, _>(0).map_err(reading)?)).collect()
    }

    async fn health_standing(
        &self,
        repository: &RepositoryName,
        base: &BranchName,
        within: Duration,
    ) -> Result<HealthStanding, LedgerError> {
        const STANDING: &str = "WITH clock AS MATERIALIZED (SELECT clock_timestamp() AS now)
            SELECT c.now,
                ARRAY(SELECT w.run_id FROM public.self_extension_watched_runs w
                      WHERE w.repository = $1 AND w.base = $2 ORDER BY w.promoted),
                (SELECT b.commit_sha FROM public.self_extension_baselines b WHERE b.repository = $1 AND b.base = $2),
                (SELECT count(*) FROM public.self_extension_events e
                 WHERE e.event_type IN ('rolled_back', 'rollback_failed') AND e.repository = $1 AND e.base = $2
                   AND e.created_at >= c.now - make_interval(secs => $3)
                   AND e.id > coalesce((
                       SELECT r.id FROM public.self_extension_events r
                       WHERE r.run_id = 'control' AND r.event_type = 'promotion_pause_changed'
                         AND r.payload -> 'paused' = 'false'
                       ORDER BY r.sequence DESC LIMIT 1), 0))
            FROM clock c";
        let (repository, base) = (stored(repository.as_str()), stored(base.as_str()));
        let statement = || sqlx::query(STANDING).bind(&*repository).bind(&*base).bind(seconds(within));
        let rows = self.connections.fetch(statement).await.map_err(reading)?;
        let row = rows.first().ok_or_else(|| LedgerError::unavailable("the database told nothing"))?;
        let watched: Vec<String> = row.try_get(1).map_err(reading)?;
        let baseline: Option<String> = row.try_get(2).map_err(reading)?;
        let rollbacks: i64 = row.try_get(3).map_err(reading)?;
        Ok(HealthStanding {
            watched: watched.iter().map(|run| request::run_id(run)).collect::<Result<_, _>>()?,
            baseline: baseline.as_deref().map(baseline_commit).transpose()?,
            rollbacks: u64::try_from(rollbacks).unwrap_or_default(),
            now: row.try_get(0).map_err(reading)?,
        })
    }

    /// One round trip. Stops before the oldest transaction that is still open on the server, in any of its databases: what it
    /// may yet write would stand before.
    async fn read_after(&self, position: Position, limit: u32) -> Result<Vec<RecordedEvent>, LedgerError> {
        const EVENTS: &str = concat!(
            "SELECT ",
            event_columns!("e"),
            " FROM public.self_extension_events e
              WHERE (e.transaction_id, e.id) > ($1::text::xid8, $2)
                AND e.transaction_id < pg_snapshot_xmin(pg_current_snapshot())
              ORDER BY e.transaction_id, e.id LIMIT $3"
        );
        let rows = self
            .rows(|| {
                sqlx::query(EVENTS)
                    .bind(position.transaction.to_string())
                    .bind(signed(position.id))
                    .bind(i64::from(limit))
            })
            .await?;
        recorded(rows)
    }

    fn follow(&self, after: Position) -> Box<dyn Follower> {
        Box::new(PgFollower::new(Arc::clone(&self.connections), after, self.poll))
    }
}
