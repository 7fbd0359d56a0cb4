//! Rows as they are stored, unverified.

use selfext_domain::Position;

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
    pub columns: Option<StoredColumns<'a>>,
}

/// The columns that a database derives from the text, as it holds them: texts with the escapes of the canonical form.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the fields are the columns of the ledger's table")]
pub struct StoredColumns<'a> {
    pub event_id: &'a str,
    pub run_id: &'a str,
    pub correlation_id: &'a str,
    pub stage: &'a str,
    pub event_type: &'a str,
    pub actor_source: &'a str,
    pub tool_name: Option<&'a str>,
    pub tool_call_id: Option<&'a str>,
    pub goal_id: Option<&'a str>,
    pub cycle_id: Option<&'a str>,
    pub sub_goal_id: Option<&'a str>,
    pub repository: Option<&'a str>,
    pub base: Option<&'a str>,
    pub fingerprint: Option<&'a str>,
    pub pull_request: Option<i64>,
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
