//! Operators, people who use the forge's own pages, and the database's failover.

use crate::Run;
use crate::forge::{Commit, Pull};
use crate::ledger::{Past, Phase};
use crate::model::{Protocol, State, Witness};
use crate::rules::Rule;

/// What happens from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outside {
    Pause,
    /// The answer to a pause, from a snapshot of its own.
    Answer,
    Resume,
    /// Before a changed history is accepted: moves every branch to a fence commit, and closes every pull request.
    Sweep,
    /// The database loses its last commits.
    Failover {
        lost: usize,
    },
    /// Any process that looks finds a merge landed, and records it.
    FindLanded(Run),
    /// An operator abandons a run that holds no permit, or it fails before it gets one.
    End(Run),
    /// Any process closes the pull requests of a run that is over.
    CloseOver(Run),
    /// Any process deletes the branch of a run that is over.
    DeleteOver(Run),
    PeopleClose(Run, usize),
    PeopleReopen(Run, usize),
    PeopleDelete(Run),
    PeopleRestore(Run, usize),
}

impl Protocol {
    pub fn outside(&self, state: &mut State, what: Outside) -> Option<()> {
        match what {
            Outside::Pause => {
                if state.ledger.paused || state.pauses == 0 {
                    return None;
                }
                self.remember(state);
                state.pauses -= 1;
                state.ledger.paused = true;
            }
            Outside::Answer => {
                let asked = state.pauses < self.bounds.pauses;
                let paused = state.ledger.paused || (asked && !self.has(Rule::PausedAtAnswer));
                let known = state.ledger.accepted == state.history || !self.has(Rule::HistoryAtPause);
                if state.quiet || !paused || !known || self.in_flight(state) {
                    return None;
                }
                state.quiet = true;
            }
            Outside::Resume => {
                let changed = state.ledger.accepted != state.history;
                let swept = state.swept || !self.has(Rule::SweepBeforeAccept);
                if !(state.ledger.paused || changed) || (changed && !swept) {
                    return None;
                }
                self.remember(state);
                state.ledger.paused = false;
                state.ledger.accepted = state.history;
                state.quiet = false;
                state.swept = false;
                state.witness(self, Witness::Resumed);
            }
            Outside::Sweep => {
                if state.swept || state.ledger.accepted == state.history {
                    return None;
                }
                for run in 0..self.bounds.runs {
                    let site = state.site_mut(run);
                    if site.branch.is_some() || site.pulls[0] != Pull::Absent {
                        site.set_branch(Commit::FENCE);
                    }
                    site.close_all();
                }
                state.swept = true;
            }
            Outside::Failover { lost } => {
                if state.history >= self.bounds.failovers {
                    return None;
                }
                let ledger =
                    *lost.checked_sub(1).map_or(Some(&state.ledger), |newest| state.past.ledgers().get(newest))?;
                state.ledger = ledger;
                state.history += 1;
                state.past = Past::default();
            }
            Outside::FindLanded(run) => {
                let stream = *state.ledger.stream(run);
                if stream.open_permit().is_none() || state.site(run).landed == 0 {
                    return None;
                }
                self.record_promoted(state, run, stream.tip);
                state.witness(self, Witness::DoubtFoundLanded);
            }
            Outside::End(run) => {
                let stream = *state.ledger.stream(run);
                if stream.phase != Phase::Open {
                    return None;
                }
                self.append(state, run, stream.tip, |stream| stream.phase = Phase::Failed(None));
            }
            Outside::CloseOver(run) => return self.close_over(state, run),
            Outside::DeleteOver(run) => return self.delete_over(state, run),
            Outside::PeopleClose(..)
            | Outside::PeopleReopen(..)
            | Outside::PeopleDelete(_)
            | Outside::PeopleRestore(..) => return Self::people(state, what),
        }
        Some(())
    }

    /// Whether a pause finds permits without outcome.
    fn in_flight(&self, state: &State) -> bool {
        state.ledger.streams.iter().any(|stream| match stream.phase {
            Phase::Merging(_) => true,
            Phase::Fencing(_) => self.has(Rule::FencingIsInFlight),
            Phase::Open | Phase::Failed(_) | Phase::Promoted => false,
        })
    }

    fn people(state: &mut State, what: Outside) -> Option<()> {
        if state.people == 0 {
            return None;
        }
        match what {
            Outside::PeopleClose(run, pull) => {
                if state.site(run).open_pull().map(usize::from) != Some(pull) {
                    return None;
                }
                state.site_mut(run).close(pull);
            }
            Outside::PeopleReopen(run, pull) => {
                let site = state.site_mut(run);
                if !site.may_reopen(pull) {
                    return None;
                }
                site.pulls[pull] = Pull::Open(site.branch?);
            }
            Outside::PeopleDelete(run) => {
                let site = state.site_mut(run);
                site.branch?;
                site.delete_branch();
            }
            Outside::PeopleRestore(run, pull) => {
                let site = state.site_mut(run);
                if site.branch.is_some() {
                    return None;
                }
                let record = site.pulls[pull].record()?;
                site.set_branch(record);
            }
            _ => return None,
        }
        if state.people < u8::MAX {
            state.people -= 1;
        }
        Some(())
    }
}
