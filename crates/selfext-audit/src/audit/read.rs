//! What was read of a row, and where it belongs.

use std::borrow::Cow;

use selfext_domain::{Digest32, Event, EventId, canonical};
use serde::Deserialize;
use uuid::Uuid;

use super::finding::{Place, shown};
use super::row::StoredRow;
use super::streams::StreamKey;

/// A row with what was read from it.
pub(super) struct Read<'a> {
    pub stored: &'a StoredRow<'a>,
    pub event: Option<&'a Event>,
    /// The stream, as it is stored.
    pub run: Option<Cow<'a, str>>,
    pub leaf: u64,
    names: Names,
}

/// What an unreadable content says of itself.
#[derive(Default, Deserialize)]
struct Names {
    #[serde(default)]
    run_id: Option<String>,
    #[serde(default)]
    event_id: Option<String>,
}

impl Names {
    fn of(row: &StoredRow<'_>) -> Self {
        serde_json::from_str(row.content).unwrap_or_default()
    }
}

impl<'a> Read<'a> {
    pub fn new(stored: &'a StoredRow<'a>, event: Option<&'a Event>, leaf: u64) -> Self {
        let names = if event.is_some() { Names::default() } else { Names::of(stored) };
        Self { stored, event, run: None, leaf, names }
    }

    /// The stream that the row belongs to: what its content says if that is what was hashed, or else what the column says.
    pub fn choose_stream(&mut self, computed: Digest32) -> Option<StreamKey> {
        let said = self.event.map(|event| canonical::spelled(event.stream.as_str()));
        let said = said.or_else(|| self.names.run_id.take().map(Cow::Owned));
        let hashed = self.stored.content_hash.is_none_or(|stored| stored == computed.as_bytes());
        let column = self.stored.columns.map(|columns| Cow::Borrowed(columns.run_id));
        self.run = if hashed { said.or(column) } else { column.or(said) };
        self.run.as_deref().map(StreamKey::of)
    }

    pub fn place(&self) -> Place {
        let written = || self.stored.columns.map(|columns| columns.event_id).or(self.names.event_id.as_deref());
        let event = self.event.map(|event| event.id);
        Place {
            position: Some(self.stored.position),
            run: self.run.as_deref().or_else(|| self.stored.columns.map(|columns| columns.run_id)).map(shown),
            sequence: Some(self.stored.sequence),
            event: event.or_else(|| Uuid::try_parse(written()?).ok().map(EventId::from_uuid)),
            leaf: Some(self.leaf),
        }
    }
}
