//! The checkpoints that are still to be met.

use std::collections::BTreeMap;

use selfext_domain::{Digest32, Position};

use super::finding::{About, Finding, FindingKind, Place};
use crate::checkpoint::Checkpoint;

/// A checkpoint that was signed as it must be.
#[derive(Clone, Copy, Debug)]
struct Seal {
    root: Digest32,
    position: Option<Position>,
}

/// Checkpoints in the order of their sizes, met one by one as events pass.
#[derive(Debug, Default)]
pub(super) struct Seals {
    pending: BTreeMap<u64, Seal>,
    /// The size and the events read at the last seal that was met.
    last: (u64, u64),
    /// Events are missing, added or changed: from here on roots say nothing, but counts between positions do.
    broken: bool,
    pub held: u64,
    pub unjudged: u64,
    pub sealed: u64,
}

impl Seals {
    /// Takes a checkpoint when `count` events have passed, the last at `position`.
    pub fn add(&mut self, checkpoint: &Checkpoint, count: u64, position: Position, root: Digest32) -> Option<Finding> {
        let seal = Seal { root: checkpoint.root, position: checkpoint.position };
        let size = checkpoint.size;
        if size == count && !self.broken {
            return self.meet(size, seal, position, root);
        }
        if size <= count {
            // What it seals has passed. In a ledger that fits no more, it could not have been judged anyway.
            if self.broken {
                self.unjudged += 1;
                return None;
            }
            let (expected, found) = (format!("a place behind event {size}"), format!("a place behind event {count}"));
            return Some(finding(FindingKind::Reordered, About::Checkpoint, size, seal, &expected, &found));
        }
        match self.pending.insert(size, seal) {
            Some(other) if other.root != seal.root => {
                Some(finding(FindingKind::Forged, About::Root, size, seal, &other.root, &seal.root))
            }
            _ => None,
        }
    }

    /// Looks which seals an event at `position` leaves behind, when `count` events stand before it.
    pub fn before(&mut self, position: Position, count: u64, findings: &mut impl FnMut(Finding)) {
        while let Some((&size, &seal)) = self.pending.first_key_value() {
            match seal.position {
                Some(sealed) if position > sealed => self.pass(size, seal, count, findings),
                None if self.broken && count >= size => self.unjudged += 1,
                _ => return,
            }
            self.pending.pop_first();
        }
    }

    /// Meets the seal of this size, when `count` events have passed, the last at `position`.
    pub fn after(&mut self, position: Position, count: u64, root: impl FnOnce() -> Digest32) -> Option<Finding> {
        let (&size, &seal) = self.pending.first_key_value()?;
        if self.broken || size != count {
            return None;
        }
        let root = root();
        if root != seal.root && seal.position.is_some_and(|sealed| position < sealed) {
            // More events than were sealed stand before its position; how many is known when that has passed.
            self.broken = true;
            return None;
        }
        self.pending.pop_first();
        self.meet(size, seal, position, root)
    }

    fn meet(&mut self, size: u64, seal: Seal, position: Position, root: Digest32) -> Option<Finding> {
        self.last = (size, size);
        if root != seal.root {
            self.broken = true;
            return Some(finding(FindingKind::Forged, About::Root, size, seal, &seal.root, &root));
        }
        self.held += 1;
        self.sealed = self.sealed.max(size);
        match seal.position {
            Some(sealed) if sealed != position => {
                Some(finding(FindingKind::Edited, About::Position, size, seal, &sealed, &position))
            }
            _ => None,
        }
    }

    /// Counts the events between the last seal and this one, whose position has passed without its size being met.
    fn pass(&mut self, size: u64, seal: Seal, count: u64, findings: &mut impl FnMut(Finding)) {
        let expected = size.saturating_sub(self.last.0);
        let found = count.saturating_sub(self.last.1);
        let was_broken = std::mem::replace(&mut self.broken, true);
        self.unjudged += u64::from(was_broken || found == expected);
        let place = format!("events behind event {} and up to position {}", self.last.0, shown(seal.position));
        let kind = if found < expected { FindingKind::Missing } else { FindingKind::Forged };
        if found != expected {
            findings(finding(kind, About::Events, size, seal, &format!("{expected} {place}"), &found));
        }
        self.last = (size, count);
    }

    /// Looks at what was never met.
    pub fn finish(&mut self, position: Position, count: u64, findings: &mut impl FnMut(Finding)) {
        let mut cut: Option<(u64, Seal)> = None;
        for (size, seal) in std::mem::take(&mut self.pending) {
            match seal.position {
                Some(sealed) if sealed <= position => self.pass(size, seal, count, findings),
                None if size <= count => self.unjudged += 1,
                _ => cut = Some((size, seal)),
            }
        }
        if let Some((size, seal)) = cut {
            let expected = format!("{size} events up to position {}", shown(seal.position));
            let found = format!("{count} events up to position {position}");
            findings(finding(FindingKind::CutOff, About::Events, size, seal, &expected, &found));
        }
    }
}

fn shown(position: Option<Position>) -> String {
    position.map_or_else(|| "unknown".to_owned(), |position| position.to_string())
}

fn finding(
    kind: FindingKind,
    about: About,
    size: u64,
    seal: Seal,
    expected: &impl std::fmt::Display,
    found: &impl std::fmt::Display,
) -> Finding {
    let place = Place { position: seal.position, leaf: Some(size), ..Place::default() };
    Finding::new(kind, about, place, expected, found)
}
