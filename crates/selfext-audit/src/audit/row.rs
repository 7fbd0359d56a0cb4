//! Rows as they are stored, unverified.

use selfext_domain::Position;
use selfext_domain::ports::{DerivedColumns, LedgerRow};

use crate::export::ExportedEvent;

/// One row of the ledger, as the database or an export has it.
#[derive(Clone, Copy, Debug)]
pub struct StoredRow<'a> {
    /// Where it stands.
    pub position: Position,
    /// Its number in its stream.
    pub sequence: i64,
    /// The exact text.
    pub content: &'a str,
    /// The stored hash of the text; nothing where it is not stored, as in an export.
    pub content_hash: Option<&'a [u8]>,
    /// The stored hash of the event before it.
    pub prev_hash: &'a [u8],
    /// Its stored hash.
    pub hash: &'a [u8],
    /// What the database derived from the text; nothing where it is not stored, as in an export.
    pub columns: Option<DerivedColumns<'a>>,
}

impl<'a> From<&LedgerRow<'a>> for StoredRow<'a> {
    fn from(row: &LedgerRow<'a>) -> Self {
        Self {
            position: row.position,
            sequence: row.sequence,
            content: row.content,
            content_hash: Some(row.content_hash),
            prev_hash: row.prev_hash,
            hash: row.hash,
            columns: Some(row.derived),
        }
    }
}

impl<'a> From<&'a ExportedEvent> for StoredRow<'a> {
    fn from(event: &'a ExportedEvent) -> Self {
        Self {
            position: event.position(),
            sequence: event.sequence,
            content: &event.content,
            content_hash: None,
            prev_hash: event.prev_hash.as_bytes(),
            hash: event.hash.as_bytes(),
            columns: None,
        }
    }
}
