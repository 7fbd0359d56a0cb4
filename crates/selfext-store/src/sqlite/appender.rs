//! Writes events on the thread that asks. A connection of sqlx's works on a thread of its own, and the way there and back is a good
//! part of what an append takes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior, params};
use selfext_domain::ports::LedgerError;
use selfext_domain::{Link, RecordedEvent, Tip};

use super::database::told;
use super::errors::{append_failed, is_taken};
use crate::request::{Ready, signed};
use crate::row::Addition;

/// A connection of its own. Whoever has this has the turn to write in this process.
#[derive(Debug)]
pub(crate) struct Appender {
    path: PathBuf,
    written_by: String,
    /// Made at its first use.
    connection: Option<Connection>,
}

impl Appender {
    pub const fn new(path: PathBuf, written_by: String) -> Self {
        Self { path, written_by, connection: None }
    }

    /// Writes events where their stream ends with `after`, all of them or none. `None` if the database refuses:
    /// because the stream ends otherwise, because an event is there already, because another process has the file, or for another
    /// reason.
    pub fn append(&mut self, events: Vec<Ready>, after: Tip) -> Result<Option<Vec<RecordedEvent>>, LedgerError> {
        // Kept only if all went well, or nothing was done.
        let mut connection = self.connection.take().map_or_else(|| open(&self.path), Ok).map_err(append_failed)?;
        let written = match write(&mut connection, &events, after, &self.written_by) {
            Ok(written) => Some(written),
            Err(error) if is_taken(&error) => None,
            Err(error) => match append_failed(error) {
                LedgerError::Refused { .. } => None,
                other => return Err(other),
            },
        };
        self.connection = Some(connection);
        let Some(written) = written else { return Ok(None) };
        let recorded = events.into_iter().zip(written).map(|(sent, row)| row.into_event(sent, &self.written_by));
        recorded.collect::<Result<_, _>>().map(Some)
    }
}

/// The file was made by the connection that was there before. Another process that has it is not waited for here, on a thread that
/// may have other things to do.
fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::ZERO)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "recursive_triggers", true)?;
    Ok(connection)
}

fn write(
    connection: &mut Connection,
    events: &[Ready],
    after: Tip,
    written_by: &str,
) -> rusqlite::Result<Vec<Written>> {
    // One statement is a transaction by itself.
    if let [Ready { content, .. }] = events {
        return Ok(vec![insert(connection, content, after, written_by)?]);
    }
    let transaction = told("BEGIN IMMEDIATE", || connection.transaction_with_behavior(TransactionBehavior::Immediate))?;
    let mut written = Vec::with_capacity(events.len());
    let mut last = after;
    for Ready { content, .. } in events {
        let row = insert(&transaction, content, last, written_by)?;
        last = Tip { sequence: row.sequence, hash: row.link.hash };
        written.push(row);
    }
    told("COMMIT", || Transaction::commit(transaction))?;
    Ok(written)
}

const INSERT: &str = "INSERT INTO self_extension_events (sequence, content, written_by, content_hash, prev_hash, hash)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING id, created_at";

/// A row, and what the database added to it.
struct Written {
    sequence: u64,
    link: Link,
    id: i64,
    created_at: DateTime<Utc>,
}

impl Written {
    fn into_event(self, sent: Ready, written_by: &str) -> Result<RecordedEvent, LedgerError> {
        let Self { sequence, link, id, created_at } = self;
        // Writers come one after the other here, so the row's number alone is its position.
        Addition { id, transaction: 0, written_by, created_at, hash: link.hash.as_bytes() }
            .to_event(sent, sequence, link)
    }
}

fn insert(connection: &Connection, content: &str, after: Tip, written_by: &str) -> rusqlite::Result<Written> {
    let (sequence, link) = (after.sequence.saturating_add(1), Link::new(after.hash, content.as_bytes()));
    told(INSERT, || {
        let mut statement = connection.prepare_cached(INSERT)?;
        let mut rows = statement.query(params![
            signed(sequence),
            content,
            written_by,
            link.content_hash.as_bytes(),
            link.prev_hash.as_bytes(),
            link.hash.as_bytes(),
        ])?;
        let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        let written = Written { sequence, link, id: row.get(0)?, created_at: row.get(1)? };
        // A statement that is a transaction by itself is durable only where there are no more rows.
        while rows.next()?.is_some() {}
        Ok(written)
    })
}
