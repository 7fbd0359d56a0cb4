//! The audit, on a ledger that was written by the rules and then touched.

mod hashes;
mod order;
mod properties;
mod rules;
mod seals;

use selfext_domain::ports::DerivedColumns;
use serde_json::Value;

use super::*;
use crate::sample::{Ledger, Row, keys};

/// A row with everything that a database stores of it, each part open to be touched.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub row: Row,
    pub content_hash: Vec<u8>,
    pub prev_hash: Vec<u8>,
    pub hash: Vec<u8>,
    /// The derived columns: name and text.
    pub columns: Vec<(&'static str, Option<String>)>,
}

pub(super) const COLUMNS: [&str; 15] = [
    "event_id",
    "run_id",
    "correlation_id",
    "stage",
    "event_type",
    "actor_source",
    "tool_name",
    "tool_call_id",
    "goal_id",
    "cycle_id",
    "sub_goal_id",
    "repository",
    "base",
    "fingerprint",
    "pull_request",
];

impl Stored {
    /// What a database derives from a row.
    pub fn of(row: &Row) -> Self {
        let content: Value = serde_json::from_str(&row.content).unwrap();
        let text = |name: &str| match &content[name] {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        Self {
            row: row.clone(),
            content_hash: row.link.content_hash.as_bytes().to_vec(),
            prev_hash: row.link.prev_hash.as_bytes().to_vec(),
            hash: row.link.hash.as_bytes().to_vec(),
            columns: COLUMNS.map(|name| (name, text(name))).to_vec(),
        }
    }

    fn column(&self, name: &str) -> Option<&str> {
        self.columns.iter().find(|(column, _)| *column == name)?.1.as_deref()
    }

    pub fn feed(&self, auditor: &mut Auditor) {
        auditor.event(&StoredRow {
            position: self.row.position,
            sequence: self.row.sequence,
            content: &self.row.content,
            content_hash: Some(&self.content_hash),
            prev_hash: &self.prev_hash,
            hash: &self.hash,
            columns: Some(DerivedColumns {
                event_id: self.column("event_id").unwrap_or_default(),
                run_id: self.column("run_id").unwrap_or_default(),
                correlation_id: self.column("correlation_id").unwrap_or_default(),
                stage: self.column("stage").unwrap_or_default(),
                event_type: self.column("event_type").unwrap_or_default(),
                actor_source: self.column("actor_source").unwrap_or_default(),
                tool_name: self.column("tool_name"),
                tool_call_id: self.column("tool_call_id"),
                goal_id: self.column("goal_id"),
                cycle_id: self.column("cycle_id"),
                sub_goal_id: self.column("sub_goal_id"),
                repository: self.column("repository"),
                base: self.column("base"),
                fingerprint: self.column("fingerprint"),
                pull_request: self.column("pull_request").and_then(|number| number.parse().ok()),
            }),
        });
    }
}

pub(super) fn stored(ledger: &Ledger) -> Vec<Stored> {
    ledger.rows.iter().map(Stored::of).collect()
}

/// The sizes at which the example is sealed: in the middle and at its end.
pub(super) const SEALS: [usize; 2] = [6, 13];

/// Audits rows under the seals of the ledger as it was.
pub(super) fn audit(rows: &[Stored], sealed: &Ledger) -> Report {
    let mut auditor = Auditor::new(keys());
    for size in SEALS {
        auditor.checkpoint(&sealed.seal(size));
    }
    for row in rows {
        row.feed(&mut auditor);
    }
    auditor.finish()
}

/// Audits rows without any seal.
pub(super) fn audit_unsealed(rows: &[Stored]) -> Report {
    let mut auditor = Auditor::new(keys());
    for row in rows {
        row.feed(&mut auditor);
    }
    auditor.finish()
}

/// What was found: kind, what it is about, stream and number.
pub(super) fn found(report: &Report) -> Vec<(FindingKind, About, Option<&str>, Option<i64>)> {
    report
        .findings
        .iter()
        .map(|finding| (finding.kind, finding.about, finding.place.run.as_deref(), finding.place.sequence))
        .collect()
}
