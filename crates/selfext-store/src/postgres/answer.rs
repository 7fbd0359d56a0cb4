//! What the functions of the migrations answer.

use selfext_domain::ports::LedgerError;
use selfext_domain::{RecordedEvent, RunId};
use sqlx::postgres::PgRow;
use sqlx::{Error, Row as _};

use super::columns::{EVENT_COLUMNS, control_row, event_row};
use crate::reading::ControlRow;
use crate::request::run_id;
use crate::row::EventRow;

/// A call of a function, with what it answers as [`Answer::of`] reads it.
macro_rules! call {
    ($call:literal) => {
        concat!(
            "SELECT ",
            $crate::postgres::columns::event_columns!("(a.event)"),
            ", a.outcome, a.actual, a.other_run, a.control, a.control_updated_at, a.history FROM public.",
            $call,
            " AS a"
        )
    };
}
pub(super) use call;

/// What a function answered. `migrations/postgres/0007_history.sql`, and `0014_health.sql` for merges, say which outcome has which of
/// the rest.
pub(super) struct Answer {
    pub outcome: String,
    actual: Option<i64>,
    other_run: Option<String>,
    /// The control as the function saw it under its lock.
    pub control: ControlRow,
    event: Option<EventRow>,
}

impl Answer {
    /// Reads the single row that a call gives.
    pub fn of(rows: &[PgRow]) -> Result<Self, Error> {
        Self::of_row(rows.first().ok_or(Error::RowNotFound)?)
    }

    /// Reads one of the rows that a call gives.
    pub fn of_row(row: &PgRow) -> Result<Self, Error> {
        let has_event = row.try_get::<Option<i64>, _>(0)?.is_some();
        Ok(Self {
            outcome: row.try_get(EVENT_COLUMNS)?,
            actual: row.try_get(EVENT_COLUMNS + 1)?,
            other_run: row.try_get(EVENT_COLUMNS + 2)?,
            control: control_row(row, EVENT_COLUMNS + 3)?,
            event: has_event.then(|| event_row(row)).transpose()?,
        })
    }

    /// Whether the event is in the ledger, now or since an earlier try.
    pub fn is_recorded(&self) -> bool {
        self.outcome == "recorded"
    }

    /// The event that the answer holds.
    pub fn event(self) -> Result<RecordedEvent, LedgerError> {
        self.event.ok_or_else(|| unforeseen("no event"))?.into_recorded()
    }

    /// The number of the last event of the stream.
    pub fn actual(&self) -> u64 {
        self.actual.and_then(|actual| u64::try_from(actual).ok()).unwrap_or_default()
    }

    /// The run that is in the way, if there is one.
    pub fn other_run(&self) -> Result<Option<RunId>, LedgerError> {
        self.other_run.as_deref().map(run_id).transpose()
    }

    /// The error of an outcome that the function does not have.
    pub fn unforeseen(&self) -> LedgerError {
        unforeseen(&self.outcome)
    }
}

fn unforeseen(outcome: &str) -> LedgerError {
    LedgerError::unavailable(format!("the database's function answered in a way that cannot be understood: {outcome}"))
}
