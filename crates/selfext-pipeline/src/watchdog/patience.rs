//! How long the watchdog leaves a rollback alone that was refused for now.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use selfext_domain::{Refusal, RunId};

/// The first pause, and the longest.
const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_mins(5);

/// The runs whose rollback was refused, with when it is tried again: each try writes to the ledger and asks the forge.
#[derive(Default)]
pub(super) struct Patience(BTreeMap<RunId, Rest>);

struct Rest {
    refusal: Refusal,
    pause: Duration,
    until: DateTime<Utc>,
}

impl Patience {
    /// Why a run is left alone for now.
    pub fn resting(&self, run: &RunId, now: DateTime<Utc>) -> Option<Refusal> {
        self.0.get(run).filter(|rest| now < rest.until).map(|rest| rest.refusal.clone())
    }

    /// Leaves a run alone for a while, each time for longer.
    pub fn rest(&mut self, run: &RunId, refusal: Refusal, now: DateTime<Utc>) {
        let pause = self.0.get(run).map_or(FIRST, |rest| (rest.pause * 2).min(LONGEST));
        self.0.insert(run.clone(), Rest { refusal, pause, until: now + pause });
    }

    /// A run is done with.
    pub fn forget(&mut self, run: &RunId) {
        self.0.remove(run);
    }
}
