//! A tempting protocol: read the flag, write that a merge begins, ask for it. However close together these are, a pause fits
//! in between.

use stateright::{Model, Property};

use crate::check::breaks;
use crate::model::QUIET;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Step {
    #[default]
    Idle,
    /// It read that promotion is not paused.
    Checked,
    /// It wrote that its merge begins, and asks for it.
    Asking,
    Merged,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct State {
    paused: bool,
    promoters: [Step; 2],
    /// A pause answered "nothing in flight".
    quiet: bool,
    landed_in_quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Check(usize),
    Begin(usize),
    Merge(usize),
    Pause,
    Answer,
    Resume,
}

/// Check, then merge.
struct CheckThenMerge;

impl Model for CheckThenMerge {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::default()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (number, step) in state.promoters.iter().enumerate() {
            match step {
                Step::Idle => actions.push(Action::Check(number)),
                Step::Checked => actions.push(Action::Begin(number)),
                Step::Asking => actions.push(Action::Merge(number)),
                Step::Merged => {}
            }
        }
        actions.extend(if state.paused { [Action::Answer, Action::Resume].as_slice() } else { &[Action::Pause] });
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Check(number) if !state.paused => state.promoters[number] = Step::Checked,
            Action::Begin(number) => state.promoters[number] = Step::Asking,
            Action::Merge(number) => {
                state.promoters[number] = Step::Merged;
                state.landed_in_quiet |= state.quiet;
            }
            Action::Pause => state.paused = true,
            Action::Answer if !state.promoters.contains(&Step::Asking) => state.quiet = true,
            Action::Resume => (state.paused, state.quiet) = (false, false),
            Action::Check(_) | Action::Answer => return None,
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always(QUIET, |_, state: &State| !state.landed_in_quiet)]
    }
}

#[test]
fn a_flag_that_is_read_before_the_merge_does_not_hold_it_back() {
    breaks("check, then merge", CheckThenMerge);
}
