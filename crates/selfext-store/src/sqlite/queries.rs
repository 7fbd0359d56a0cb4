//! What people ask a ledger in a SQLite file.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use selfext_domain::RecordedEvent;
use selfext_domain::ports::{
    Baseline, Cursor, EventQuery, LedgerError, Overview, Queries, RunEntry, RunQuery, RunSelection, Wait,
};
use serde_json::Value;
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Error, Row as _};

use super::SqliteDatabase;
use super::columns::{EVENT_COLUMNS, control_row, event_columns, event_row, event_rows, text};
use super::control::ROW;
use super::database::traced;
use super::errors::failed;
use super::transaction::OPEN_PERMITS;
use crate::permit;
use crate::reading::ControlRow;
use crate::request::signed;
use crate::row::recorded;
use crate::span::Span;
use crate::standing::baseline;
use crate::stored_text::stored;
use crate::wait::wait;

/// What people ask a ledger in a SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteQueries {
    database: Arc<SqliteDatabase>,
}

impl SqliteQueries {
    pub(crate) const fn new(database: Arc<SqliteDatabase>) -> Self {
        Self { database }
    }
}

/// Keeps the rows of an alias that lie within the span, whose ends are the values 1 to 4. Every stored time lies between the two
/// texts.
macro_rules! within {
    ($alias:literal) => {
        concat!(
            " (",
            $alias,
            ".created_at, ",
            $alias,
            ".id) > (coalesce(?1, ''), coalesce(?2, 0)) AND (",
            $alias,
            ".created_at, ",
            $alias,
            ".id) < (coalesce(?3, '~'), coalesce(?4, 0)) "
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
            "ORDER BY p.created_at DESC, p.id DESC LIMIT ?5) p
             JOIN self_extension_events e ON e.run_id = p.run_id AND e.sequence = (
                SELECT max(l.sequence) FROM self_extension_events l WHERE l.run_id = p.run_id
             ) ORDER BY p.created_at DESC, p.id DESC"
        )
    };
}

const ALL: &str = page_of_runs!("self_extension_events p WHERE p.event_type = 'proposed' AND");
const OPEN: &str = page_of_runs!("self_extension_open_runs o JOIN self_extension_events p ON p.id = o.proposed WHERE");
const BLOCKED: &str = page_of_runs!(
    "self_extension_open_runs o JOIN self_extension_events p ON p.id = o.proposed WHERE 'promotion_blocked' = (
        SELECT l.event_type FROM self_extension_events l WHERE l.run_id = o.run_id ORDER BY l.sequence DESC LIMIT 1
     ) AND"
);
const OF_GOAL: &str = page_of_runs!("self_extension_events p WHERE p.event_type = 'proposed' AND p.goal_id = ?6 AND");
const OF_TOOL: &str = page_of_runs!("self_extension_events p WHERE p.event_type = 'proposed' AND p.tool_name = ?6 AND");
const OF_PULL_REQUEST: &str = page_of_runs!(
    "(SELECT DISTINCT n.run_id FROM self_extension_events n WHERE n.repository = ?6 AND n.pull_request = ?7) n
     JOIN self_extension_events p ON p.run_id = n.run_id AND p.sequence = 1 AND p.event_type = 'proposed' WHERE"
);

const OPEN_RUNS: &str = "SELECT count(*) FROM self_extension_open_runs";

/// The landed runs that hold others back, each with its last event.
const WATCHED: &str = concat!(
    "SELECT ",
    event_columns!("e"),
    ", p.created_at, p.id FROM self_extension_watched_runs w
     JOIN self_extension_events p ON p.run_id = w.run_id AND p.sequence = 1
     JOIN self_extension_events e ON e.run_id = w.run_id AND e.sequence = (
        SELECT max(l.sequence) FROM self_extension_events l WHERE l.run_id = w.run_id
     ) ORDER BY w.promoted"
);

const BASELINES: &str =
    "SELECT b.repository, b.base, b.commit_sha FROM self_extension_baselines b ORDER BY b.repository, b.base";

/// The promotions that wait and may not merge at any moment.
const WAITS: &str = "SELECT w.run_id, w.holder, w.what, w.since, w.until
    FROM self_extension_waits w JOIN self_extension_open_runs o ON o.run_id = w.run_id AND o.permit IS NULL
    WHERE w.until > strftime('%Y-%m-%dT%H:%M:%fZ', 'now') ORDER BY w.since, w.run_id, w.holder";

/// The types of which there are events.
const TYPES: &str = "WITH RECURSIVE known (event_type) AS (
        SELECT min(k.event_type) FROM self_extension_events k
        UNION ALL
        SELECT (SELECT min(k.event_type) FROM self_extension_events k WHERE k.event_type > known.event_type)
        FROM known WHERE known.event_type IS NOT NULL
     ) SELECT event_type FROM known WHERE event_type IS NOT NULL";

/// The first events of one type; what they are sorted by alone, so that no more rows are read than are given.
const OF_TYPE: &str = concat!(
    "SELECT t.created_at, t.id FROM self_extension_events t WHERE t.event_type = ?6 AND",
    within!("t"),
    "ORDER BY t.created_at, t.id LIMIT ?5"
);

const WITH_IDS: &str = concat!(
    "SELECT ",
    event_columns!("e"),
    " FROM self_extension_events e WHERE e.id IN (SELECT value FROM json_each(?1)) ORDER BY e.created_at, e.id"
);

#[async_trait]
impl Queries for SqliteQueries {
    async fn overview(&self, limit: u32) -> Result<Overview, LedgerError> {
        let mut moment = traced("BEGIN", self.database.reader.begin()).await?;
        let control = traced(ROW, sqlx::query(ROW).fetch_optional(&mut *moment)).await?;
        let control = control.map_or_else(|| Ok(ControlRow::default()), |row| control_row(&row, 0)).map_err(failed)?;
        let permits = traced(OPEN_PERMITS, sqlx::query(OPEN_PERMITS).fetch_all(&mut *moment)).await?;
        let permits = recorded(event_rows(&permits).map_err(failed)?)?;
        let open_runs: i64 = traced(OPEN_RUNS, sqlx::query_scalar(OPEN_RUNS).fetch_one(&mut *moment)).await?;
        let open = entries(&mut moment, OPEN, within_span(sqlx::query(OPEN), Span::default(), limit)).await?;
        let latest = entries(&mut moment, ALL, within_span(sqlx::query(ALL), Span::default(), limit)).await?;
        let watched = entries(&mut moment, WATCHED, sqlx::query(WATCHED)).await?;
        let baselines = traced(BASELINES, sqlx::query(BASELINES).fetch_all(&mut *moment)).await?;
        let waits = traced(WAITS, sqlx::query(WAITS).fetch_all(&mut *moment)).await?;
        Ok(Overview {
            control: control.read(),
            in_flight: permits.iter().map(permit::terms).collect::<Result<_, _>>()?,
            open_runs: u64::try_from(open_runs).unwrap_or_default(),
            open,
            latest,
            watched,
            baselines: baselines.iter().map(baseline_row).collect::<Result<_, _>>()?,
            waits: waits.iter().map(wait_row).collect::<Result<_, _>>()?,
        })
    }

    async fn runs(&self, query: &RunQuery) -> Result<Vec<RunEntry>, LedgerError> {
        let sql = match &query.selection {
            RunSelection::All => ALL,
            RunSelection::Open => OPEN,
            RunSelection::Blocked => BLOCKED,
            RunSelection::Goal(_) => OF_GOAL,
            RunSelection::Tool(_) => OF_TOOL,
            RunSelection::PullRequest(..) => OF_PULL_REQUEST,
        };
        let page = within_span(sqlx::query(sql), Span::of_runs(query), query.limit);
        let page = match &query.selection {
            RunSelection::All | RunSelection::Open | RunSelection::Blocked => page,
            RunSelection::Goal(goal) => page.bind(stored(goal.as_str()).into_owned()),
            RunSelection::Tool(tool) => page.bind(stored(tool.as_str()).into_owned()),
            RunSelection::PullRequest(repository, number) => {
                page.bind(stored(repository.as_str()).into_owned()).bind(signed(number.get()))
            }
        };
        let mut reader = traced("a connection", self.database.reader.acquire()).await?;
        entries(&mut reader, sql, page).await
    }

    async fn events(&self, query: &EventQuery) -> Result<Vec<RecordedEvent>, LedgerError> {
        let mut moment = traced("BEGIN", self.database.reader.begin()).await?;
        let types = if query.types.is_empty() {
            traced(TYPES, sqlx::query_scalar::<_, String>(TYPES).fetch_all(&mut *moment)).await?
        } else {
            query.types.iter().map(|event_type| stored(event_type).into_owned()).collect()
        };
        let span = Span::of_events(query);
        let mut page: Vec<(String, i64)> = Vec::new();
        for event_type in types {
            let statement = within_span(sqlx::query(OF_TYPE), span, query.limit).bind(event_type);
            for row in traced(OF_TYPE, statement.fetch_all(&mut *moment)).await? {
                page.push((row.try_get(0).map_err(failed)?, row.try_get(1).map_err(failed)?));
            }
        }
        page.sort_unstable();
        page.dedup();
        page.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
        let ids = page.into_iter().map(|(_, id)| id).collect::<Value>().to_string();
        let rows = traced(WITH_IDS, sqlx::query(WITH_IDS).bind(ids).fetch_all(&mut *moment)).await?;
        recorded(event_rows(&rows).map_err(failed)?)
    }
}

type Statement<'q> = Query<'q, Sqlite, SqliteArguments>;

fn within_span(statement: Statement<'_>, span: Span, limit: u32) -> Statement<'_> {
    let at = |cursor: Option<Cursor>| cursor.map(|cursor| text(cursor.at));
    let id = |cursor: Option<Cursor>| cursor.map(|cursor| signed(cursor.id));
    statement
        .bind(at(span.after))
        .bind(id(span.after))
        .bind(at(span.before))
        .bind(id(span.before))
        .bind(i64::from(limit))
}

async fn entries(
    connection: &mut SqliteConnection,
    sql: &'static str,
    page: Statement<'_>,
) -> Result<Vec<RunEntry>, LedgerError> {
    let rows = traced(sql, page.fetch_all(connection)).await?;
    rows.iter().map(entry).collect()
}

fn baseline_row(row: &SqliteRow) -> Result<Baseline, LedgerError> {
    let column = |at: usize| row.try_get::<&str, _>(at).map_err(failed);
    baseline(column(0)?, column(1)?, column(2)?)
}

fn wait_row(row: &SqliteRow) -> Result<Wait, LedgerError> {
    let column = |at: usize| row.try_get::<&str, _>(at).map_err(failed);
    let time = |at: usize| row.try_get(at).map_err(failed);
    wait(column(0)?, column(1)?, column(2)?, time(3)?, time(4)?)
}

fn entry(row: &SqliteRow) -> Result<RunEntry, LedgerError> {
    let cursor = || -> Result<(DateTime<Utc>, i64), Error> {
        Ok((row.try_get(EVENT_COLUMNS)?, row.try_get(EVENT_COLUMNS + 1)?))
    };
    let (at, id) = cursor().map_err(failed)?;
    let last = event_row(row).map_err(failed)?.into_recorded()?;
    Ok(RunEntry { cursor: Cursor { at, id: u64::try_from(id).unwrap_or_default() }, last })
}
