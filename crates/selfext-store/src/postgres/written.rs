//! What the database adds to events that it writes where their streams end as the writer thinks.
//!
//! Everything else of such an event is what was sent, so it is not sent back. The hash is: it is over all that was sent and what
//! stands before it.

use selfext_domain::ports::LedgerError;
use selfext_domain::{Link, RecordedEvent, Tip};
use sqlx::postgres::PgRow;
use sqlx::{Error, Row as _};

use super::errors::reading;
use crate::request::Ready;
use crate::row::Addition;

/// Appends rows of content, number and hash before, of which only the first row's has to be said. With what the database adds as
/// [`addition`] reads it; `migrations/postgres/0018_appends.sql` says what is refused.
macro_rules! append {
    ($rows:literal) => {
        concat!(
            "INSERT INTO public.self_extension_appends AS a (content, sequence, prev_hash) ",
            $rows,
            " RETURNING a.id, a.transaction_id::text::bigint, a.written_by, a.created_at, a.hash"
        )
    };
}
pub(super) use append;

fn addition(row: &PgRow) -> Result<Addition<'_>, Error> {
    Ok(Addition {
        id: row.try_get(0)?,
        transaction: row.try_get(1)?,
        written_by: row.try_get(2)?,
        created_at: row.try_get(3)?,
        hash: row.try_get(4)?,
    })
}

/// What was sent, and written one behind the other from `after` on.
pub(super) fn written(rows: &[PgRow], sent: Vec<Ready>, mut after: Tip) -> Result<Vec<RecordedEvent>, LedgerError> {
    if rows.len() != sent.len() {
        return Err(LedgerError::unavailable("the database answered for other events than were sent"));
    }
    let mut events = Vec::with_capacity(rows.len());
    for (row, sent) in rows.iter().zip(sent) {
        let link = Link::new(after.hash, sent.content.as_bytes());
        let event = addition(row).map_err(reading)?.to_event(sent, after.sequence.saturating_add(1), link)?;
        after = Tip { sequence: event.sequence, hash: event.link.hash };
        events.push(event);
    }
    Ok(events)
}
