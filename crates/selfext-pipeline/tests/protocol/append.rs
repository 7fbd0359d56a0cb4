//! Writing to the ledger, and what its control says.

use crate::NEW;
use crate::Run;
use crate::ledger::{NO_TIP, Phase, Stream, Tip};
use crate::model::{Protocol, State};
use crate::rules::Rule;

impl Protocol {
    /// Appends to a run's stream, if the writer knows its tip.
    pub fn append(&self, state: &mut State, run: Run, tip: Tip, event: impl FnOnce(&mut Stream)) -> bool {
        if self.has(Rule::CompareAndSet) && (tip == NO_TIP || state.ledger.stream(run).tip != tip) {
            return false;
        }
        self.remember(state);
        let stream = state.ledger.stream_mut(run);
        event(stream);
        stream.tip = NEW;
        true
    }

    /// Keeps what a failover may bring back.
    pub fn remember(&self, state: &mut State) {
        if state.history < self.bounds.failovers {
            let ledger = state.ledger;
            state.past.push(ledger, self.bounds.lost);
        }
    }

    pub fn record_promoted(&self, state: &mut State, run: Run, tip: Tip) -> bool {
        let recorded = self.append(state, run, tip, |stream| stream.phase = Phase::Promoted);
        if recorded {
            state.promoted[usize::from(run)] += 1;
            for (other, stream) in (0..).zip(&mut state.ledger.streams) {
                stream.outdated |= other != run && other < self.bounds.runs;
            }
        }
        recorded
    }

    /// What the control says to a grant, a takeover and a reopening.
    pub fn may_begin(&self, state: &State) -> bool {
        let accepted = state.ledger.accepted == state.history || !self.has(Rule::HistoryAtGrant);
        !state.ledger.paused && accepted
    }
}
