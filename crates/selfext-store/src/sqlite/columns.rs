//! The columns of an event, as every statement asks for them.

use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteRow;
use sqlx::{Error, Row as _};

use crate::reading::ControlRow;
use crate::row::EventRow;
use crate::span::storable;

/// The columns of an event under an alias, in the order that [`event_row`] reads them. Writers come one after the other
/// here, so the row's number alone is its position.
macro_rules! event_columns {
    ($alias:literal) => {
        concat!(
            $alias,
            ".id, 0, ",
            $alias,
            ".event_id, ",
            $alias,
            ".run_id, ",
            $alias,
            ".event_type, ",
            $alias,
            ".sequence, ",
            $alias,
            ".content, ",
            $alias,
            ".written_by, ",
            $alias,
            ".created_at, ",
            $alias,
            ".content_hash, ",
            $alias,
            ".prev_hash, ",
            $alias,
            ".hash"
        )
    };
}
pub(super) use event_columns;

/// How many columns that are.
pub(super) const EVENT_COLUMNS: usize = 12;

/// Reads the event in the first columns of a row.
pub(super) fn event_row(row: &SqliteRow) -> Result<EventRow, Error> {
    Ok(EventRow {
        id: row.try_get(0)?,
        transaction: row.try_get(1)?,
        event_id: row.try_get(2)?,
        run_id: row.try_get(3)?,
        event_type: row.try_get(4)?,
        sequence: row.try_get(5)?,
        content: row.try_get(6)?,
        written_by: row.try_get(7)?,
        created_at: row.try_get(8)?,
        content_hash: row.try_get(9)?,
        prev_hash: row.try_get(10)?,
        hash: row.try_get(11)?,
    })
}

/// Reads the control's value and its time from column `at` on. A file has no history of its own: who puts an earlier copy of
/// it in its place is not found out.
pub(super) fn control_row(row: &SqliteRow, at: usize) -> Result<ControlRow, Error> {
    let value: Option<String> = row.try_get(at)?;
    let updated_at: Option<DateTime<Utc>> = row.try_get(at + 1)?;
    Ok(ControlRow { value: value.zip(updated_at), history: None })
}

/// How many digits of a second the file keeps.
const DIGITS: u16 = 3;

/// A time as the file has it.
pub(super) fn text(at: DateTime<Utc>) -> String {
    storable(at, DIGITS).format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Reads the events of rows.
pub(super) fn event_rows(rows: &[SqliteRow]) -> Result<Vec<EventRow>, Error> {
    rows.iter().map(event_row).collect()
}
