//! Rows of the ledger as they are stored, many of them in one piece of memory.

use crate::Position;

/// One row of the ledger as it is stored, unverified. A value that is not there where one belongs, or that is of another type, is an
/// empty one, or 0: no event has such a value, so it shows as an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the columns of the ledger's table")]
pub struct LedgerRow<'a> {
    pub position: Position,
    pub sequence: i64,
    pub content: &'a str,
    pub content_hash: &'a [u8],
    pub prev_hash: &'a [u8],
    pub hash: &'a [u8],
    /// As the database wrote it, in UTC.
    pub created_at: &'a str,
    pub written_by: &'a str,
    pub derived: DerivedColumns<'a>,
}

/// What a database derived from the content of an event, as it holds it: texts with the escapes of the canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the columns of the ledger's table")]
pub struct DerivedColumns<'a> {
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

/// Rows of the ledger in order. A reader of the whole ledger takes millions of them, so a row has no memory of its own: its
/// texts stand behind those of the row before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerRows {
    texts: String,
    hashes: Vec<u8>,
    rows: Vec<Kept>,
}

/// How many texts and how many hashes a row has.
const TEXTS: usize = 17;
const HASHES: usize = 3;

/// The length of a text that is not there.
const ABSENT: usize = usize::MAX;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Kept {
    position: Position,
    sequence: i64,
    pull_request: Option<i64>,
    texts: [usize; TEXTS],
    hashes: [usize; HASHES],
}

impl LedgerRows {
    /// No rows, with room for so many.
    #[must_use]
    pub fn with_capacity(rows: usize) -> Self {
        Self { texts: String::new(), hashes: Vec::with_capacity(rows * HASHES * 32), rows: Vec::with_capacity(rows) }
    }

    /// Adds a row behind the others.
    pub fn push(&mut self, row: &LedgerRow<'_>) {
        let derived = &row.derived;
        let texts = [
            Some(row.content),
            Some(row.created_at),
            Some(row.written_by),
            Some(derived.event_id),
            Some(derived.run_id),
            Some(derived.correlation_id),
            Some(derived.stage),
            Some(derived.event_type),
            Some(derived.actor_source),
            derived.tool_name,
            derived.tool_call_id,
            derived.goal_id,
            derived.cycle_id,
            derived.sub_goal_id,
            derived.repository,
            derived.base,
            derived.fingerprint,
        ];
        let hashes = [row.content_hash, row.prev_hash, row.hash];
        self.texts.extend(texts.into_iter().flatten());
        for hash in hashes {
            self.hashes.extend_from_slice(hash);
        }
        self.rows.push(Kept {
            position: row.position,
            sequence: row.sequence,
            pull_request: derived.pull_request,
            texts: texts.map(|text| text.map_or(ABSENT, str::len)),
            hashes: hashes.map(<[u8]>::len),
        });
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Where the last one stands.
    #[must_use]
    pub fn last_position(&self) -> Option<Position> {
        self.rows.last().map(|row| row.position)
    }

    /// The rows, in order.
    #[must_use]
    pub fn iter(&self) -> LedgerRowsIter<'_> {
        LedgerRowsIter { texts: &self.texts, hashes: &self.hashes, rows: self.rows.iter() }
    }
}

impl<'a> IntoIterator for &'a LedgerRows {
    type Item = LedgerRow<'a>;
    type IntoIter = LedgerRowsIter<'a>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The rows of [`LedgerRows`], in order.
#[derive(Clone, Debug)]
pub struct LedgerRowsIter<'a> {
    texts: &'a str,
    hashes: &'a [u8],
    rows: std::slice::Iter<'a, Kept>,
}

impl<'a> LedgerRowsIter<'a> {
    fn text(&mut self, length: usize) -> Option<&'a str> {
        if length == ABSENT {
            return None;
        }
        let (text, rest) = self.texts.split_at_checked(length)?;
        self.texts = rest;
        Some(text)
    }

    fn hash(&mut self, length: usize) -> &'a [u8] {
        let (hash, rest) = self.hashes.split_at_checked(length).unwrap_or_default();
        self.hashes = rest;
        hash
    }
}

impl<'a> Iterator for LedgerRowsIter<'a> {
    type Item = LedgerRow<'a>;

    fn next(&mut self) -> Option<LedgerRow<'a>> {
        let Kept { position, sequence, pull_request, texts, hashes } = self.rows.next()?;
        let mut texts = texts.iter();
        let mut optional = || texts.next().and_then(|length| self.text(*length));
        let [content, created_at, written_by, event_id, run_id, correlation_id, stage, event_type, actor_source] =
            std::array::from_fn(|_| optional().unwrap_or_default());
        let [tool_name, tool_call_id, goal_id, cycle_id, sub_goal_id, repository, base, fingerprint] =
            std::array::from_fn(|_| optional());
        let [content_hash, prev_hash, hash] = hashes.map(|length| self.hash(length));
        Some(LedgerRow {
            position: *position,
            sequence: *sequence,
            content,
            content_hash,
            prev_hash,
            hash,
            created_at,
            written_by,
            derived: DerivedColumns {
                event_id,
                run_id,
                correlation_id,
                stage,
                event_type,
                actor_source,
                tool_name,
                tool_call_id,
                goal_id,
                cycle_id,
                sub_goal_id,
                repository,
                base,
                fingerprint,
                pull_request: *pull_request,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_what_was_put_in_whatever_is_absent_or_empty() {
        let row = |id, fill: &'static str, some: bool| {
            let text = |at: usize| fill.get(at..).unwrap_or_default();
            let maybe = |at| some.then(|| text(at));
            LedgerRow {
                position: Position { transaction: 7, id },
                sequence: -1,
                content: text(0),
                content_hash: text(1).as_bytes(),
                prev_hash: text(2).as_bytes(),
                hash: text(3).as_bytes(),
                created_at: text(4),
                written_by: text(5),
                derived: DerivedColumns {
                    event_id: text(6),
                    run_id: text(7),
                    correlation_id: text(8),
                    stage: text(9),
                    event_type: text(10),
                    actor_source: text(11),
                    tool_name: maybe(12),
                    tool_call_id: maybe(13),
                    goal_id: None,
                    cycle_id: maybe(14),
                    sub_goal_id: maybe(15),
                    repository: maybe(16),
                    base: maybe(17),
                    fingerprint: maybe(18),
                    pull_request: some.then_some(3),
                },
            }
        };
        let rows = [
            row(1, "abcdefghijklmnopqrstuvwxyz", true),
            row(2, "", false),
            row(3, "", true),
            row(4, "zyxwvutsrqponmlkjihgfedcba", false),
        ];
        let mut kept = LedgerRows::with_capacity(2);
        assert!(kept.is_empty() && kept.last_position().is_none());
        for row in &rows {
            kept.push(row);
        }
        assert_eq!(kept.iter().collect::<Vec<_>>(), rows);
        assert_eq!((kept.len(), kept.last_position()), (4, Some(Position { transaction: 7, id: 4 })));
    }
}
