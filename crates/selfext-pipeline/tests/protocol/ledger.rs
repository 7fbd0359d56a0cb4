//! The database: the promotion control and one stream of events a run, as their folds.

use std::hash::{Hash, Hasher};

use crate::forge::Commit;
use crate::{RUNS, Run};

/// The id of a stream's last event, which stands for its sequence and hash. `NO_TIP` is one that no stream has any more.
pub type Tip = u8;

pub const NO_TIP: Tip = 0;

/// What a permit allows to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Terms {
    pub pull: u8,
    pub head: Commit,
}

/// How a run stands. A run that is proposed, tested or blocked is `Open`: whoever claims it writes `tested` anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Phase {
    #[default]
    Open,
    /// The last event is `merge_started`, whose id is the stream's tip.
    Merging(Terms),
    /// The last event is `merge_fenced`.
    Fencing(Terms),
    /// Over; with the terms of the permit that was fenced, if one was.
    Failed(Option<Terms>),
    Promoted,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Stream {
    pub tip: Tip,
    pub phase: Phase,
    /// Another run's `promoted` was recorded after this run's last `tested`.
    pub outdated: bool,
}

impl Stream {
    /// The terms of a permit without outcome.
    pub const fn open_permit(self) -> Option<Terms> {
        match self.phase {
            Phase::Merging(terms) | Phase::Fencing(terms) => Some(terms),
            Phase::Open | Phase::Failed(_) | Phase::Promoted => None,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ledger {
    pub paused: bool,
    /// The history that an operator accepted.
    pub accepted: u8,
    pub streams: [Stream; RUNS],
}

impl Ledger {
    pub fn stream(&self, run: Run) -> &Stream {
        &self.streams[usize::from(run)]
    }

    pub fn stream_mut(&mut self, run: Run) -> &mut Stream {
        &mut self.streams[usize::from(run)]
    }

    pub fn other_open_permit(&self, run: Run) -> bool {
        (0..).zip(&self.streams).any(|(other, stream)| other != run && stream.open_permit().is_some())
    }
}

/// How many of the last commits a failover may lose.
pub const MOST_LOST: usize = 4;

/// The ledgers before each of the last commits, the newest first. Kept only while a failover is to come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Past {
    kept: u8,
    ledgers: [Ledger; MOST_LOST],
}

/// Mostly there are none, and hashing is most of the work.
impl Hash for Past {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.ledgers().hash(hasher);
    }
}

impl Past {
    pub fn push(&mut self, ledger: Ledger, most: usize) {
        self.ledgers.rotate_right(1);
        self.ledgers[0] = ledger;
        let kept = (usize::from(self.kept) + 1).min(most).min(MOST_LOST);
        self.ledgers[kept..].fill(Ledger::default());
        self.kept = u8::try_from(kept).expect("a few");
    }

    pub fn ledgers(&self) -> &[Ledger] {
        &self.ledgers[..usize::from(self.kept)]
    }

    pub fn ledgers_mut(&mut self) -> &mut [Ledger] {
        &mut self.ledgers[..usize::from(self.kept)]
    }
}
