//! What an audit says at its end.

use selfext_domain::Digest32;

use super::{Finding, FindingKind};

/// How far an audit has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows read.
    pub events: u64,
    /// Checkpoints read, anchors among them.
    pub checkpoints: u64,
    /// Checkpoints whose root was found to be that of the events.
    pub checkpoints_held: u64,
    /// Checkpoints that could not be judged: there is no key to do it by, or events before them are missing, added or changed.
    pub checkpoints_unjudged: u64,
    /// Runs seen.
    pub runs: u64,
    /// Runs that are still open.
    pub open_runs: u64,
    /// Events of a later version, whose runs could not be judged by the fold.
    pub unknown_events: u64,
    /// Everything that is wrong.
    pub findings: u64,
}

/// What an audit says at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What was read.
    pub counts: Counts,
    /// The root of the tree over all events that were read: what a checkpoint of now would seal.
    pub root: Digest32,
    /// The size of the largest checkpoint that held; what stands behind it is not sealed.
    pub sealed: u64,
    /// What is wrong, in the order in which it was found; the first of them, if there are many.
    pub findings: Vec<Finding>,
    /// How many of each kind there are, in the order of [`FindingKind::ALL`].
    pub by_kind: [u64; 5],
}

impl Report {
    /// Whether everything was judged and nothing is wrong. A ledger without checkpoints can be clean: see how much of it is
    /// [sealed](Self::sealed).
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        let Counts { findings, unknown_events, checkpoints_unjudged, .. } = self.counts;
        findings == 0 && unknown_events == 0 && checkpoints_unjudged == 0
    }

    /// How many findings of a kind there are, kept or not.
    #[must_use]
    pub const fn count_of(&self, kind: FindingKind) -> u64 {
        self.by_kind[kind as usize]
    }
}

/// The findings so far: all are counted, the first are kept.
#[derive(Clone, Debug)]
pub(super) struct Findings {
    pub kept: Vec<Finding>,
    pub by_kind: [u64; 5],
    cap: usize,
}

impl Findings {
    pub const fn new(cap: usize) -> Self {
        Self { kept: Vec::new(), by_kind: [0; 5], cap }
    }

    pub fn total(&self) -> u64 {
        self.by_kind.iter().sum()
    }

    pub fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        for finding in findings {
            self.push(finding);
        }
    }

    pub fn push(&mut self, finding: Finding) {
        self.by_kind[finding.kind as usize] += 1;
        if self.kept.len() < self.cap {
            self.kept.push(finding);
        }
    }
}
