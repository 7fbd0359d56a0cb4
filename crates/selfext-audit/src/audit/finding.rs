//! What an audit finds.

use std::fmt;

use selfext_domain::{EventId, Position};

/// What was done to the ledger, as far as the data tells; the table in the [module](super) says what tells the kinds apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// A row is not what was written.
    Edited,
    /// Rows are gone.
    Missing,
    /// A row stands behind one that was written after it.
    Reordered,
    /// The hashes fit, but contradict a seal, or the rules by which events are written.
    Forged,
    /// The ledger ends before its last seal.
    CutOff,
}

impl FindingKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Edited, Self::Missing, Self::Reordered, Self::Forged, Self::CutOff];

    /// The word for people and programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Edited => "edited",
            Self::Missing => "missing",
            Self::Reordered => "reordered",
            Self::Forged => "forged",
            Self::CutOff => "cut-off",
        }
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum About {
    /// The exact text of an event.
    Content,
    /// The stored hash of the text.
    ContentHash,
    /// The stored hash of the event before, or the event before it.
    PrevHash,
    /// The stored hash of the event.
    Hash,
    /// The number in the stream.
    Sequence,
    /// The position.
    Position,
    /// A column that the database derives from the text.
    Column(&'static str),
    /// The canonical form of the text.
    Form,
    /// What the text says: it is no event.
    Meaning,
    /// Whether the event may follow in its run.
    Legality,
    /// How many events there are.
    Events,
    /// The root of the tree over the events.
    Root,
    /// A checkpoint itself.
    Checkpoint,
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Content => f.write_str("content"),
            Self::ContentHash => f.write_str("content hash"),
            Self::PrevHash => f.write_str("previous hash"),
            Self::Hash => f.write_str("hash"),
            Self::Sequence => f.write_str("number"),
            Self::Position => f.write_str("position"),
            Self::Column(name) => write!(f, "column {name}"),
            Self::Form => f.write_str("form"),
            Self::Meaning => f.write_str("meaning"),
            Self::Legality => f.write_str("legality"),
            Self::Events => f.write_str("events"),
            Self::Root => f.write_str("root"),
            Self::Checkpoint => f.write_str("checkpoint"),
        }
    }
}

/// Where something was found; each part as far as it is known. Texts are escaped and shortened, safe to print.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The position of the row: of the row itself, of the one behind missing ones, or of a seal.
    pub position: Option<Position>,
    /// The stream.
    pub run: Option<String>,
    /// The number in the stream: as stored, or the first that is missing.
    pub sequence: Option<i64>,
    /// The event.
    pub event: Option<EventId>,
    /// Which of the rows that were read it is, from 0; for a seal, its size.
    pub leaf: Option<u64>,
}

/// One thing that is wrong. Texts are escaped and shortened, safe to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was done, as far as the data tells.
    pub kind: FindingKind,
    /// To what.
    pub about: About,
    /// Where.
    pub place: Place,
    /// What belongs there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl Finding {
    pub(super) fn new(
        kind: FindingKind,
        about: About,
        place: Place,
        expected: &impl fmt::Display,
        found: &impl fmt::Display,
    ) -> Self {
        Self { kind, about, place, expected: shown(&expected.to_string()), found: shown(&found.to_string()) }
    }
}

/// A text of unknown origin as a finding shows it; an empty one has to be seen, too.
pub(super) fn shown(text: &str) -> String {
    if text.is_empty() {
        return "nothing".to_owned();
    }
    let mut short: String = text.chars().take(200).flat_map(escaped).collect();
    if text.chars().nth(200).is_some() {
        short.push('…');
    }
    short
}

fn escaped(c: char) -> impl Iterator<Item = char> {
    let escape = c.escape_debug();
    // Only what cannot be seen is escaped; quotation marks stay as they are.
    let plain = (!c.is_control() && (escape.len() == 1 || matches!(c, '"' | '\'' | '\\'))).then_some(c);
    plain.into_iter().chain(plain.is_none().then_some(escape).into_iter().flatten())
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        parts.extend(self.run.as_ref().map(|run| format!("run {run}")));
        parts.extend(self.sequence.map(|sequence| format!("number {sequence}")));
        parts.extend(self.position.map(|position| format!("position {position}")));
        parts.extend(self.event.map(|event| format!("event {event}")));
        if parts.is_empty() {
            parts.extend(self.leaf.map(|leaf| format!("leaf {leaf}")));
        }
        f.write_str(&parts.join(", "))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, about, place, expected, found } = self;
        write!(f, "{kind}: {place}: {about}: expected {expected}, found {found}")
    }
}
