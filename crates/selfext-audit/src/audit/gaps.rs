//! Numbers that were left out, until they turn up or the ledger ends.

use std::collections::BTreeMap;

use selfext_domain::{Digest32, Position};

use super::streams::{StreamKey, TailHash};

/// Numbers of a stream that were left out: from `from` to `to`.
#[derive(Clone, Debug)]
pub(super) struct Gap {
    pub run: String,
    pub from: u64,
    pub to: u64,
    /// The hash of the event before the first.
    pub before: TailHash,
    /// The hash of the last, which the event behind it names.
    pub last: Option<Digest32>,
    /// Where the event behind it stands.
    pub position: Position,
}

/// The gaps that are kept, at most [`Gaps::MAX`].
#[derive(Debug, Default)]
pub(super) struct Gaps {
    of: BTreeMap<StreamKey, Vec<Gap>>,
    count: usize,
}

impl Gaps {
    /// With more than this many, a row that turns up later counts as one too many rather than as reordered.
    const MAX: usize = 10_000;

    /// Keeps a gap, or gives it back if there are too many.
    pub fn open(&mut self, key: StreamKey, gap: Gap) -> Option<Gap> {
        if self.count >= Self::MAX {
            return Some(gap);
        }
        self.count += 1;
        self.of.entry(key).or_default().push(gap);
        None
    }

    /// Takes the gap that a number belongs to.
    pub fn take(&mut self, key: StreamKey, sequence: u64) -> Option<Gap> {
        let gaps = self.of.get_mut(&key)?;
        let at = gaps.iter().position(|gap| (gap.from..=gap.to).contains(&sequence))?;
        self.count -= 1;
        Some(gaps.swap_remove(at))
    }

    /// Puts back what is left of a gap when one of its numbers turned up.
    pub fn split(&mut self, key: StreamKey, gap: &Gap, sequence: u64, prev: Option<Digest32>, hash: Digest32) {
        let left = Gap { to: sequence - 1, last: prev, ..gap.clone() };
        let right = Gap { from: sequence + 1, before: TailHash::Full(hash), ..gap.clone() };
        for part in [left, right] {
            if part.from <= part.to {
                self.count += 1;
                self.of.entry(key).or_default().push(part);
            }
        }
    }

    /// All that are left, in the order of the rows behind them.
    pub fn drain(&mut self) -> Vec<Gap> {
        let mut gaps: Vec<_> = std::mem::take(&mut self.of).into_values().flatten().collect();
        gaps.sort_by_key(|gap| (gap.position, gap.from));
        gaps
    }
}
