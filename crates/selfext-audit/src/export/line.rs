//! The lines of an export.

use selfext_domain::{Digest32, Position};
use serde::{Deserialize, Serialize};

/// An event as it is exported, unverified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportedEvent {
    /// The database's number of the transaction that wrote it.
    pub transaction: u64,
    /// The row's own number.
    pub id: u64,
    /// Its number in its stream, as it is stored.
    pub sequence: i64,
    /// The exact text that was hashed.
    pub content: String,
    /// The stored hash of the event before it.
    pub prev_hash: Digest32,
    /// Its stored hash.
    pub hash: Digest32,
    /// When the database took it, as the database wrote it.
    pub created_at: String,
    /// Who wrote it, as the database knows it.
    pub written_by: String,
}

impl ExportedEvent {
    /// Where it stands in the ledger.
    #[must_use]
    pub const fn position(&self) -> Position {
        Position { transaction: self.transaction, id: self.id }
    }
}

/// What is read of an export, beside its header and its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportLine {
    /// An event.
    Event(Box<ExportedEvent>),
    /// A checkpoint: a signed note, unverified.
    Checkpoint(String),
}

/// A line as it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    Header(Header),
    Event(Box<ExportedEvent>),
    Checkpoint(Note),
    End(End),
}

#[derive(Serialize, Deserialize)]
pub(super) struct Header {
    pub format: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Note {
    pub note: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    pub events: u64,
    pub checkpoints: u64,
}

impl Line {
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Header(_) => "header",
            Self::Event(_) => "event",
            Self::Checkpoint(_) => "checkpoint",
            Self::End(_) => "end",
        }
    }
}
