//! The audit, row by row.

use selfext_domain::{Digest32, EventBody, JudgedContent, Position, error_chain};

use super::closed::Unlawful;
use super::columns;
use super::finding::{About, Finding, FindingKind, Place, shown};
use super::gaps::{Gap, Gaps};
use super::link::{Judged, judge};
use super::read::Read;
use super::report::{Counts, Findings, Report};
use super::row::StoredRow;
use super::seals::Seals;
use super::streams::{StreamKey, Streams, Tail, TailHash};
use crate::checkpoint::SignedCheckpoint;
use crate::leaf::event_leaf;
use crate::merkle::TreeFrontier;
use crate::note::VerifierKey;

/// Audits a ledger that is fed to it in the order of its positions. The [module](super) says what it finds, and what it needs.
#[derive(Debug)]
pub struct Auditor {
    keys: Vec<VerifierKey>,
    streams: Streams,
    gaps: Gaps,
    seals: Seals,
    tree: TreeFrontier,
    position: Option<Position>,
    largest_checkpoint: u64,
    checkpoints: u64,
    unchecked: u64,
    unknown: u64,
    findings: Findings,
}

impl Auditor {
    /// How many findings are kept, if nothing else is said.
    pub const KEPT_FINDINGS: usize = 1_000;

    /// An audit that trusts these keys, and nothing else. Without any, no checkpoint can be judged.
    #[must_use]
    pub fn new(keys: Vec<VerifierKey>) -> Self {
        Self {
            keys,
            streams: Streams::new(),
            gaps: Gaps::default(),
            seals: Seals::default(),
            tree: TreeFrontier::new(),
            position: None,
            largest_checkpoint: 0,
            checkpoints: 0,
            unchecked: 0,
            unknown: 0,
            findings: Findings::new(Self::KEPT_FINDINGS),
        }
    }

    /// The same, keeping at most so many findings. All are counted.
    #[must_use]
    pub fn keeping(self, findings: usize) -> Self {
        Self { findings: Findings::new(findings), ..self }
    }

    /// How far it has come.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            events: self.tree.size(),
            checkpoints: self.checkpoints,
            checkpoints_held: self.seals.held,
            checkpoints_unjudged: self.seals.unjudged + self.unchecked,
            runs: self.streams.runs(),
            open_runs: self.streams.open_runs(),
            unknown_events: self.unknown,
            findings: self.findings.total(),
        }
    }

    /// Takes a checkpoint of the ledger's own: all of them in the order in which they were made, each before the first event
    /// that it does not seal. A signed note, as it was stored.
    pub fn checkpoint(&mut self, note: &str) {
        let Some(opened) = self.open(note) else { return };
        let size = opened.checkpoint().size;
        if size < self.largest_checkpoint {
            let place = Place { leaf: Some(size), ..Place::default() };
            let expected = format!("a size of at least {}", self.largest_checkpoint);
            self.findings.push(Finding::new(FindingKind::Reordered, About::Checkpoint, place, &expected, &size));
        }
        self.largest_checkpoint = self.largest_checkpoint.max(size);
        self.seal(&opened);
    }

    /// Takes a checkpoint that was kept somewhere else: with its owner, or by a witness. In any order, before the first event
    /// that it does not seal. It is what finds a ledger whose own checkpoints were rewritten or dropped with its events.
    pub fn anchor(&mut self, note: &str) {
        if let Some(opened) = self.open(note) {
            self.seal(&opened);
        }
    }

    fn open(&mut self, note: &str) -> Option<SignedCheckpoint> {
        self.checkpoints += 1;
        if self.keys.is_empty() {
            self.unchecked += 1;
            return None;
        }
        match SignedCheckpoint::open(note, &self.keys) {
            Ok(opened) => Some(opened),
            Err(error) => {
                let place = Place { position: self.position, leaf: Some(self.tree.size()), ..Place::default() };
                let expected = "a checkpoint that a known key signed";
                let found = error_chain(&error);
                self.findings.push(Finding::new(FindingKind::Forged, About::Checkpoint, place, &expected, &found));
                None
            }
        }
    }

    fn seal(&mut self, opened: &SignedCheckpoint) {
        let position = self.position.unwrap_or(Position::START);
        // An empty ledger has no last event whose position could be another.
        let position = if self.tree.size() == 0 { opened.checkpoint().position.unwrap_or(position) } else { position };
        let found = self.seals.add(opened.checkpoint(), self.tree.size(), position, self.tree.root());
        self.findings.extend(found);
    }

    /// Takes the next row.
    pub fn event(&mut self, row: &StoredRow<'_>) {
        let findings = &mut self.findings;
        self.seals.before(row.position, self.tree.size(), &mut |finding| findings.push(finding));

        let content = JudgedContent::of(row.content);
        let computed = Digest32::of(row.content.as_bytes());
        let mut row = Read::new(row, content.event.as_ref().ok(), self.tree.size());
        let found = self.position.filter(|last| row.stored.position <= *last);
        if let Some(last) = found {
            let expected = format!("a position behind {last}");
            self.found(&row, FindingKind::Reordered, About::Position, &expected, &row.stored.position);
        }
        self.position = Some(row.stored.position.max(self.position.unwrap_or(Position::START)));

        let key = row.choose_stream(computed);
        let tail = key.map_or(Tail { sequence: 0, hash: TailHash::Half([0; 16]) }, |key| self.streams.tail(key));
        let judged = judge(row.stored, computed, &tail);
        if let Some(edit) = &judged.edited {
            self.found(&row, FindingKind::Edited, edit.about, &edit.expected, &edit.found);
        }
        if judged.content_holds() {
            self.judge_content(&row, &content);
        }
        if let Some(key) = key {
            self.place(&row, key, &tail, &judged);
        }
        self.tree.push(event_leaf(judged.hash));
        let (tree, position) = (&self.tree, row.stored.position);
        let found = self.seals.after(position, tree.size(), || tree.root());
        self.findings.extend(found);
    }

    /// Ends the audit.
    #[must_use]
    pub fn finish(mut self) -> Report {
        for gap in self.gaps.drain() {
            self.missing(&gap);
        }
        let (findings, position) = (&mut self.findings, self.position.unwrap_or(Position::START));
        self.seals.finish(position, self.tree.size(), &mut |finding| findings.push(finding));
        let counts = self.counts();
        let Findings { kept, by_kind, .. } = self.findings;
        Report { counts, root: self.tree.root(), sealed: self.seals.sealed, findings: kept, by_kind }
    }

    fn judge_content(&mut self, row: &Read<'_>, content: &JudgedContent) {
        if let Err(error) = content.form {
            self.found(row, FindingKind::Forged, About::Form, &"the canonical form", &error);
        } else if let Err(error) = &content.event {
            self.found(row, FindingKind::Forged, About::Meaning, &"the content of an event", &error_chain(error));
        }
        let Some(event) = row.event else { return };
        self.unknown += u64::from(matches!(event.body, EventBody::Unknown(_)));
        if let Some(columns) = &row.stored.columns {
            columns::compare(event, columns, content.is_escaped, |name, said, column| {
                self.found(row, FindingKind::Edited, About::Column(name), &said, &column);
            });
        }
    }

    /// Finds the row's place in its stream.
    fn place(&mut self, row: &Read<'_>, key: StreamKey, tail: &Tail, judged: &Judged) {
        let expected = tail.sequence + 1;
        let follows = judged.follows;
        let sequence = u64::try_from(row.stored.sequence).unwrap_or(0);
        if sequence != expected && follows {
            // It names the last event as the one before it, so it is the next, whatever its number says.
            self.found(row, FindingKind::Edited, About::Sequence, &expected, &row.stored.sequence);
        } else if sequence > expected {
            let run = row.run.as_deref().map(shown).unwrap_or_default();
            let (last, position) = (judged.prev, row.stored.position);
            let gap = Gap { run, from: expected, to: sequence - 1, before: tail.hash, last, position };
            if let Some(gap) = self.gaps.open(key, gap) {
                self.missing(&gap);
            }
            return self.streams.skip(key, judged.hash, sequence);
        } else if sequence < expected {
            return self.late(row, key, sequence, judged);
        } else if !follows {
            let found = hex::encode(row.stored.prev_hash);
            self.found(row, FindingKind::Edited, About::PrevHash, &tail.hash.shown(), &found);
            return self.streams.skip(key, judged.hash, expected);
        }
        let Some(event) = row.event else { return self.streams.skip(key, judged.hash, expected) };
        let taken = self.streams.take(key, event, judged.hash, expected);
        if let Err(Unlawful { expected, found }) = taken
            && judged.content_holds()
        {
            self.found(row, FindingKind::Forged, About::Legality, &expected, &found);
        }
    }

    /// A number that was left out, or one that was there before.
    fn late(&mut self, row: &Read<'_>, key: StreamKey, sequence: u64, judged: &Judged) {
        let Some(gap) = self.gaps.take(key, sequence) else {
            let expected = "a number that no event of the stream had yet";
            return self.found(row, FindingKind::Forged, About::Sequence, &expected, &row.stored.sequence);
        };
        let expected = format!("a place before the row at position {}", gap.position);
        self.found(row, FindingKind::Reordered, About::Sequence, &expected, &row.stored.position);
        let follows = sequence != gap.from || judged.prev.is_some_and(|prev| gap.before.is(prev));
        let is_followed = sequence != gap.to || gap.last.is_none_or(|last| last == judged.hash);
        if !follows {
            self.found(
                row,
                FindingKind::Edited,
                About::PrevHash,
                &gap.before.shown(),
                &hex::encode(row.stored.prev_hash),
            );
        } else if let Some(last) = gap.last.filter(|_| !is_followed) {
            self.found(row, FindingKind::Edited, About::Hash, &last, &judged.hash);
        }
        self.gaps.split(key, &gap, sequence, judged.prev, judged.hash);
    }

    fn missing(&mut self, gap: &Gap) {
        let place = Place {
            position: Some(gap.position),
            run: Some(gap.run.clone()),
            sequence: i64::try_from(gap.from).ok(),
            ..Place::default()
        };
        let last = gap.last.map_or_else(String::new, |hash| format!(", the last with the hash {hash}"));
        let expected = format!("the numbers {} to {}{last}", gap.from, gap.to);
        self.findings.push(Finding::new(FindingKind::Missing, About::Events, place, &expected, &"none of them"));
    }

    fn found(
        &mut self,
        row: &Read<'_>,
        kind: FindingKind,
        about: About,
        expected: &impl std::fmt::Display,
        found: &impl std::fmt::Display,
    ) {
        self.findings.push(Finding::new(kind, about, row.place(), expected, found));
    }
}
