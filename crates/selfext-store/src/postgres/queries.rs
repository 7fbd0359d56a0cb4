//! What people ask the ledger on Postgres.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use selfext_domain::RecordedEvent;
use selfext_domain::ports::{Cursor, EventQuery, LedgerError, Overview, Queries, RunEntry, RunQuery, RunSelection};
use sqlx::postgres::PgRow;
use sqlx::{Error, Row as _};

use super::Connections;
use super::columns::{EVENT_COLUMNS, control_row, event_columns, event_row};
use super::connections::Statement;
use super::errors::reading;
use crate::permit;
use crate::request::signed;
use crate::span::{Span, storable};
use crate::standing::baseline;
use crate::stored_text::stored;
use crate::wait::wait;

/// How many digits of a second Postgres keeps.
const DIGITS: u16 = 6;

/// What people ask the ledger on Postgres.
#[derive(Clone, Debug)]
pub struct PgQueries {
    connections: Arc<Connections>,
}

impl PgQueries {
    pub(crate) const fn new(connections: Arc<Connections>) -> Self {
        Self { connections }
    }
}

/// Keeps the rows of an alias that lie within the span, whose ends are the values 1 to 4.
macro_rules! within {
    ($alias:literal) => {
        concat!(
            " (",
            $alias,
            ".created_at, ",
            $alias,
            ".id) > (coalesce($1, '-infinity'::timestamptz), coalesce($2, 0::bigint))
          AND (",
            $alias,
            ".created_at, ",
            $alias,
            ".id) < (coalesce($3, 'infinity'::timestamptz), coalesce($4, 0::bigint)) "
        )
    };
}

/// A page of the runs whose `proposed` events a part of a statement selects, each with its last event.
macro_rules! page_of_runs {
    ($from:literal) => {
        concat!(
            "SELECT ",
            event_columns!("e"),
            ", p.created_at, p.id FROM (SELECT p.id, p.run_id, p.created_at FROM ",
            $from,
            within!("p"),
            "ORDER BY p.created_at DESC, p.id DESC LIMIT $5) p
             CROSS JOIN LATERAL (
                SELECT * FROM public.self_extension_events l WHERE l.run_id = p.run_id ORDER BY l.sequence DESC LIMIT 1
             ) e ORDER BY p.created_at DESC, p.id DESC"
        )
    };
}

const ALL: &str = page_of_runs!("public.self_extension_events p WHERE p.event_type = 'proposed' AND");
const OPEN: &str =
    page_of_runs!("public.self_extension_open_runs o JOIN public.self_extension_events p ON p.id = o.proposed WHERE");
const BLOCKED: &str = page_of_runs!(
    "public.self_extension_open_runs o JOIN public.self_extension_events p ON p.id = o.proposed WHERE 'promotion_blocked' = (
        SELECT l.event_type FROM public.self_extension_events l WHERE l.run_id = o.run_id ORDER BY l.sequence DESC LIMIT 1
     ) AND"
);
const OF_GOAL: &str = page_of_runs!(
    "public.self_extension_events p WHERE p.event_type = 'proposed' AND p.goal_id COLLATE \"C\" = $6 AND"
);
const OF_TOOL: &str = page_of_runs!(
    "public.self_extension_events p WHERE p.event_type = 'proposed' AND p.tool_name COLLATE \"C\" = $6 AND"
);
const OF_PULL_REQUEST: &str = page_of_runs!(
    "(SELECT DISTINCT n.run_id FROM public.self_extension_events n WHERE n.repository = $6 AND n.pull_request = $7) n
     JOIN public.self_extension_events p ON p.run_id = n.run_id AND p.sequence = 1 AND p.event_type = 'proposed' WHERE"
);

/// The first events of each type, from which a page is merged; the ids alone, so that no more rows are read than are given.
const EVENTS: &str = concat!(
    "WITH RECURSIVE known (event_type) AS (
        (SELECT k.event_type FROM public.self_extension_events k ORDER BY k.event_type LIMIT 1)
        UNION ALL
        SELECT (SELECT k.event_type FROM public.self_extension_events k
                WHERE k.event_type > known.event_type ORDER BY k.event_type LIMIT 1)
        FROM known WHERE known.event_type IS NOT NULL
     ), wanted (event_type) AS (
        SELECT w FROM unnest($6::text[]) w
        UNION
        SELECT known.event_type FROM known WHERE cardinality($6::text[]) = 0
     )
     SELECT ",
    event_columns!("e"),
    " FROM (
        SELECT page.id FROM wanted CROSS JOIN LATERAL (
            SELECT t.created_at, t.id FROM public.self_extension_events t
            WHERE t.event_type = wanted.event_type AND",
    within!("t"),
    "ORDER BY t.created_at, t.id LIMIT $5
        ) page ORDER BY page.created_at, page.id LIMIT $5
     ) page JOIN public.self_extension_events e ON e.id = page.id ORDER BY e.created_at, e.id"
);

/// Everything that a status says, in one statement and so of one moment: the control beside each row, and a row each of the
/// open permits, the latest open runs, the latest runs, the landed runs that hold others back, the baselines and the
/// promotions that wait, which have no event. Without any there is one row, with nothing in it.
const OVERVIEW: &str = concat!(
    "SELECT ",
    event_columns!("e"),
    ", s.value::text, s.updated_at, h.history, listed.list, listed.created_at, listed.proposed,
       (SELECT count(*) FROM public.self_extension_open_runs), listed.repository, listed.base, listed.commit_sha,
       listed.run_id, listed.holder, listed.what, listed.since, listed.until
     FROM (SELECT public.self_extension_history() AS history) h
     LEFT JOIN public.agent_state s ON s.key = 'self_extension:promotion_control'
     LEFT JOIN (
        SELECT 'in flight' AS list, o.permit AS id, NULL::timestamptz AS created_at, o.permit AS proposed, NULL::bigint AS promoted,
            NULL AS repository, NULL AS base, NULL AS commit_sha,
            NULL AS run_id, NULL AS holder, NULL AS what, NULL::timestamptz AS since, NULL::timestamptz AS until
        FROM public.self_extension_open_runs o WHERE o.permit IS NOT NULL
        UNION ALL
        SELECT 'baseline', NULL, NULL, NULL, NULL, b.repository, b.base, b.commit_sha, NULL, NULL, NULL, NULL, NULL
        FROM public.self_extension_baselines b
        UNION ALL
        SELECT 'waits', NULL, NULL, NULL, NULL, NULL, NULL, NULL, w.run_id, w.holder, w.what, w.since, w.until
        FROM public.self_extension_waits w
        JOIN public.self_extension_open_runs o ON o.run_id = w.run_id AND o.permit IS NULL
        WHERE w.until > clock_timestamp()
        UNION ALL
        SELECT p.list, (
            SELECT l.id FROM public.self_extension_events l WHERE l.run_id = p.run_id ORDER BY l.sequence DESC LIMIT 1
        ), p.created_at, p.id, p.promoted, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
        FROM (
            (SELECT 'watched' AS list, p.run_id, p.created_at, p.id, w.promoted
             FROM public.self_extension_watched_runs w
             JOIN public.self_extension_events p ON p.run_id = w.run_id AND p.sequence = 1)
            UNION ALL
            (SELECT 'open', p.run_id, p.created_at, p.id, NULL
             FROM public.self_extension_open_runs o JOIN public.self_extension_events p ON p.id = o.proposed
             ORDER BY p.created_at DESC, p.id DESC LIMIT $1)
            UNION ALL
            (SELECT 'latest', p.run_id, p.created_at, p.id, NULL
             FROM public.self_extension_events p WHERE p.event_type = 'proposed'
             ORDER BY p.created_at DESC, p.id DESC LIMIT $1)
        ) p
     ) listed ON true
     LEFT JOIN public.self_extension_events e ON e.id = listed.id
     ORDER BY listed.list, listed.promoted, listed.created_at DESC, listed.proposed DESC, listed.repository, listed.base,
       listed.since, listed.run_id, listed.holder"
);

#[async_trait]
impl Queries for PgQueries {
    async fn overview(&self, limit: u32) -> Result<Overview, LedgerError> {
        let statement = || sqlx::query(OVERVIEW).bind(i64::from(limit));
        let rows = self.connections.fetch(statement).await.map_err(reading)?;
        let first = rows.first().ok_or_else(|| LedgerError::unavailable("the database told nothing"))?;
        let control = control_row(first, EVENT_COLUMNS).map_err(reading)?;
        let open_runs: i64 = first.try_get(EVENT_COLUMNS + 6).map_err(reading)?;
        let (mut in_flight, mut open, mut latest) = (Vec::new(), Vec::new(), Vec::new());
        let (mut watched, mut baselines, mut waits) = (Vec::new(), Vec::new(), Vec::new());
        for row in &rows {
            match row.try_get::<Option<&str>, _>(EVENT_COLUMNS + 3).map_err(reading)? {
                None => {}
                Some("in flight") => in_flight.push(permit::terms(&event(row)?)?),
                Some("watched") => watched.push(entry(row, EVENT_COLUMNS + 4)?),
                Some("baseline") => {
                    let column = |at: usize| row.try_get::<&str, _>(EVENT_COLUMNS + at).map_err(reading);
                    baselines.push(baseline(column(7)?, column(8)?, column(9)?)?);
                }
                Some("waits") => {
                    let column = |at: usize| row.try_get::<&str, _>(EVENT_COLUMNS + at).map_err(reading);
                    let time = |at: usize| row.try_get(EVENT_COLUMNS + at).map_err(reading);
                    waits.push(wait(column(10)?, column(11)?, column(12)?, time(13)?, time(14)?)?);
                }
                Some("open") => open.push(entry(row, EVENT_COLUMNS + 4)?),
                Some(_) => latest.push(entry(row, EVENT_COLUMNS + 4)?),
            }
        }
        in_flight.reverse();
        Ok(Overview {
            control: control.read(),
            in_flight,
            open_runs: u64::try_from(open_runs).unwrap_or_default(),
            open,
            latest,
            watched,
            baselines,
            waits,
        })
    }

    async fn runs(&self, query: &RunQuery) -> Result<Vec<RunEntry>, LedgerError> {
        let span = Span::of_runs(query);
        let page = |sql| within_span(sqlx::query(sql), span, query.limit);
        let rows = match &query.selection {
            RunSelection::All => self.connections.fetch(|| page(ALL)).await,
            RunSelection::Open => self.connections.fetch(|| page(OPEN)).await,
            RunSelection::Blocked => self.connections.fetch(|| page(BLOCKED)).await,
            RunSelection::Goal(goal) => self.connections.fetch(|| page(OF_GOAL).bind(stored(goal.as_str()))).await,
            RunSelection::Tool(tool) => self.connections.fetch(|| page(OF_TOOL).bind(stored(tool.as_str()))).await,
            RunSelection::PullRequest(repository, number) => {
                let statement = || page(OF_PULL_REQUEST).bind(stored(repository.as_str())).bind(signed(number.get()));
                self.connections.fetch(statement).await
            }
        };
        rows.map_err(reading)?.iter().map(|row| entry(row, EVENT_COLUMNS)).collect()
    }

    async fn events(&self, query: &EventQuery) -> Result<Vec<RecordedEvent>, LedgerError> {
        let types: Vec<_> = query.types.iter().map(|event_type| stored(event_type)).collect();
        let span = Span::of_events(query);
        let statement = || within_span(sqlx::query(EVENTS), span, query.limit).bind(&types);
        let rows = self.connections.fetch(statement).await.map_err(reading)?;
        rows.iter().map(event).collect()
    }
}

fn within_span(statement: Statement<'_>, span: Span, limit: u32) -> Statement<'_> {
    let at = |cursor: Option<Cursor>| cursor.map(|cursor| storable(cursor.at, DIGITS));
    let id = |cursor: Option<Cursor>| cursor.map(|cursor| signed(cursor.id));
    statement
        .bind(at(span.after))
        .bind(id(span.after))
        .bind(at(span.before))
        .bind(id(span.before))
        .bind(i64::from(limit))
}

fn event(row: &PgRow) -> Result<RecordedEvent, LedgerError> {
    event_row(row).map_err(reading)?.into_recorded()
}

/// A run whose `proposed` event's time and number stand from column `at` on.
fn entry(row: &PgRow, at: usize) -> Result<RunEntry, LedgerError> {
    let cursor = || -> Result<(DateTime<Utc>, i64), Error> { Ok((row.try_get(at)?, row.try_get(at + 1)?)) };
    let (proposed_at, id) = cursor().map_err(reading)?;
    Ok(RunEntry { cursor: Cursor { at: proposed_at, id: u64::try_from(id).unwrap_or_default() }, last: event(row)? })
}
