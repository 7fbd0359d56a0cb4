//! Another tempting protocol: hold a lock of the database while the merge is under way, and let a pause take the same lock.
//! The lock dies with its session or with its server; the request does not.

use stateright::{Model, Property};

use crate::check::{breaks, holds};
use crate::model::QUIET;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Step {
    #[default]
    Idle,
    /// It took the lock.
    Locked,
    /// It read that promotion is not paused, and its request is on its way.
    Asking,
    /// It was answered, and will let the lock go.
    Merged,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct State {
    paused: bool,
    /// Who has the lock, as the server knows it.
    lock: Option<usize>,
    promoters: [Step; 2],
    /// Requests whose sender was killed.
    strays: u8,
    /// The standby took over.
    failed_over: bool,
    quiet: bool,
    landed_in_quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Lock(usize),
    Ask(usize),
    Merge(usize),
    Unlock(usize),
    Kill(usize),
    StrayArrives,
    Failover,
    /// Takes the lock, sets the flag, and answers "nothing in flight".
    Pause,
    Resume,
}

/// A lock is held during the merge.
struct LockedMerge {
    kills: bool,
    failover: bool,
}

impl Model for LockedMerge {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::default()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (number, step) in state.promoters.iter().enumerate() {
            actions.push(match step {
                Step::Idle => Action::Lock(number),
                Step::Locked => Action::Ask(number),
                Step::Asking => Action::Merge(number),
                Step::Merged => Action::Unlock(number),
            });
            if self.kills {
                actions.push(Action::Kill(number));
            }
        }
        actions.extend([Action::StrayArrives, Action::Pause, Action::Resume]);
        if self.failover {
            actions.push(Action::Failover);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Lock(number) if state.lock.is_none() => {
                state.lock = Some(number);
                state.promoters[number] = Step::Locked;
            }
            Action::Ask(number) if state.paused => {
                state.promoters[number] = Step::Idle;
                state.unlock(number);
            }
            Action::Ask(number) => state.promoters[number] = Step::Asking,
            Action::Merge(number) => {
                state.promoters[number] = Step::Merged;
                state.landed_in_quiet |= state.quiet;
            }
            Action::Unlock(number) => {
                state.promoters[number] = Step::Idle;
                state.unlock(number);
            }
            Action::Kill(number) => {
                if state.promoters[number] == Step::Asking {
                    state.strays = 1;
                }
                state.promoters[number] = Step::Idle;
                state.unlock(number);
            }
            Action::StrayArrives if state.strays > 0 => {
                state.strays -= 1;
                state.landed_in_quiet |= state.quiet;
            }
            Action::Failover if !state.failed_over => {
                state.failed_over = true;
                state.lock = None;
            }
            Action::Pause if state.lock.is_none() => (state.paused, state.quiet) = (true, true),
            Action::Resume => (state.paused, state.quiet) = (false, false),
            Action::Lock(_) | Action::StrayArrives | Action::Failover | Action::Pause => return None,
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(QUIET, |_, state: &State| !state.landed_in_quiet)]
    }
}

impl State {
    fn unlock(&mut self, number: usize) {
        if self.lock == Some(number) {
            self.lock = None;
        }
    }
}

#[test]
fn a_lock_held_during_the_merge_is_enough_only_while_nothing_fails() {
    holds("lock held during the merge, nothing fails", LockedMerge { kills: false, failover: false });
}

#[test]
fn a_lock_that_dies_with_its_process_does_not_hold_the_request_back() {
    breaks("lock held during the merge, a process is killed", LockedMerge { kills: true, failover: false });
}

#[test]
fn a_lock_that_a_standby_grants_again_does_not_hold_the_request_back() {
    breaks("lock held during the merge, a failover", LockedMerge { kills: false, failover: true });
}
