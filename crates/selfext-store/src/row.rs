//! A row of the ledger, checked when it is read.

use chrono::{DateTime, Utc};
use selfext_domain::ports::LedgerError;
use selfext_domain::{Digest32, Event, Link, Position, RecordedEvent, StreamId, error_chain};
use sqlx::Error;
use sqlx::error::UnexpectedNullError;

use crate::request::Ready;
use crate::stored_text::stored;

/// A row as the database gave it, in the order of each adapter's column list.
pub(crate) struct EventRow {
    pub id: i64,
    pub transaction: i64,
    pub event_id: String,
    pub run_id: String,
    pub event_type: String,
    pub sequence: i64,
    pub content: String,
    pub written_by: String,
    pub created_at: DateTime<Utc>,
    pub content_hash: Vec<u8>,
    pub prev_hash: Vec<u8>,
    pub hash: Vec<u8>,
}

impl EventRow {
    /// Reads the row: its bytes must be those that were hashed, and what queries read of it must be what they say.
    pub fn into_recorded(self) -> Result<RecordedEvent, LedgerError> {
        let digest = |name: &str, bytes: &[u8]| {
            <[u8; 32]>::try_from(bytes)
                .map(Digest32::from_bytes)
                .map_err(|_| self.corrupt(&format!("its {name} is no SHA-256")))
        };
        let link = Link {
            content_hash: digest("content hash", &self.content_hash)?,
            prev_hash: digest("previous hash", &self.prev_hash)?,
            hash: digest("hash", &self.hash)?,
        };
        if link != Link::new(link.prev_hash, self.content.as_bytes()) {
            return Err(self.corrupt("its content is not what was hashed"));
        }
        let event = Event::from_content(&self.content).map_err(|error| self.corrupt(&error_chain(&error)))?;
        let number = |name: &str, number: i64| {
            u64::try_from(number).map_err(|_| self.corrupt(&format!("its {name} is the negative number {number}")))
        };
        let sequence = number("sequence", self.sequence)?;
        let position = Position { transaction: number("transaction", self.transaction)?, id: number("id", self.id)? };
        if event.id.to_string() != self.event_id
            || stored(event.stream.as_str()) != self.run_id
            || stored(event.body.event_type()) != self.event_type
        {
            return Err(self.corrupt("its id, run or type is not what its content says"));
        }
        Ok(RecordedEvent {
            event,
            sequence,
            position,
            recorded_at: self.created_at,
            written_by: self.written_by,
            content: self.content,
            link,
        })
    }

    fn corrupt(&self, problem: &str) -> LedgerError {
        let Self { event_id, sequence, run_id, .. } = self;
        LedgerError::Corrupt { detail: format!("event {event_id}, number {sequence} of {run_id}: {problem}") }
    }
}

/// What the database added to an event that it wrote.
pub(crate) struct Addition<'a> {
    pub id: i64,
    pub transaction: i64,
    pub written_by: &'a str,
    pub created_at: DateTime<Utc>,
    /// The hash as the database has it.
    pub hash: &'a [u8],
}

impl Addition<'_> {
    /// What was sent, recorded under this number of its stream: the database must have hashed it.
    pub fn to_event(&self, sent: Ready, sequence: u64, link: Link) -> Result<RecordedEvent, LedgerError> {
        let corrupt =
            |problem: &str| LedgerError::Corrupt { detail: format!("row {}, just written: {problem}", self.id) };
        let number = |number: i64| u64::try_from(number).map_err(|_| corrupt("it has a negative number"));
        if self.hash != link.hash.as_bytes() {
            return Err(corrupt("what was hashed is not what was sent"));
        }
        Ok(RecordedEvent {
            event: sent.event,
            sequence,
            position: Position { transaction: number(self.transaction)?, id: number(self.id)? },
            recorded_at: self.created_at,
            written_by: self.written_by.to_owned(),
            content: sent.content,
            link,
        })
    }
}

/// What came was read, but is none: asking again does not help.
pub(crate) fn unreadable(error: &Error) -> Option<LedgerError> {
    let detail = match error {
        Error::Decode(problem) => problem.to_string(),
        Error::ColumnDecode { source, .. } if source.is::<UnexpectedNullError>() => {
            "a row holds nothing where a value belongs; `selfext audit` says which".to_owned()
        }
        Error::ColumnDecode { source, .. } => {
            format!("a row holds a value of another kind; `selfext audit` says which: {source}")
        }
        _ => return None,
    };
    Some(LedgerError::Corrupt { detail })
}

/// Reads rows that do not have to follow each other.
pub(crate) fn recorded(rows: Vec<EventRow>) -> Result<Vec<RecordedEvent>, LedgerError> {
    rows.into_iter().map(EventRow::into_recorded).collect()
}

/// Reads all rows of one stream: the numbers have no gaps and each row is chained to the one before it.
pub(crate) fn recorded_stream(rows: Vec<EventRow>) -> Result<Vec<RecordedEvent>, LedgerError> {
    let events = recorded(rows)?;
    let mut before: Option<&RecordedEvent> = None;
    for event in &events {
        let (sequence, prev_hash) = before.map_or((1, Link::GENESIS), |last| (last.sequence + 1, last.link.hash));
        let problem = if event.sequence != sequence {
            format!("number {sequence} is missing before it")
        } else if event.link.prev_hash != prev_hash {
            "it is not chained to the event before it".to_owned()
        } else {
            before = Some(event);
            continue;
        };
        return Err(misplaced(event, &event.event.stream, &problem));
    }
    Ok(events)
}

fn misplaced(event: &RecordedEvent, stream: &StreamId, problem: &str) -> LedgerError {
    LedgerError::Corrupt {
        detail: format!("event {}, number {} of {stream}: {problem}", event.event.id, event.sequence),
    }
}
