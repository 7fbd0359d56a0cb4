//! What a process does: it verifies, claims, publishes, takes the permit and asks; or takes over.

use crate::forge::{Ask, Commit, Pull, Sender};
use crate::ledger::{Phase, Terms};
use crate::model::{Protocol, State, Witness};
use crate::process::{Move, Process, Step};
use crate::rules::Rule;
use crate::{NEW, Run};

impl Protocol {
    /// Makes a move, if it may be made.
    pub fn make(&self, state: &mut State, number: u8, what: Move) -> Option<()> {
        let process = *state.process(number);
        let (run, tip) = (process.run, process.tip);
        match (what, process.step) {
            (Move::Verify(run), Step::Idle) => {
                let stream = state.ledger.stream(run);
                // A base that holds the change already leaves nothing to change.
                if stream.phase != Phase::Open || state.site(run).landed > 0 {
                    return None;
                }
                let step = Step::Verified { base: state.main };
                *state.process_mut(number) = Process { run, tip: stream.tip, step };
            }
            (Move::Claim { at_once }, Step::Verified { base }) => {
                let id = if self.has(Rule::CommitPerClaim) { NEW } else { 2 + base };
                let commit = Commit { id, base };
                let claimed = self.append(state, run, tip, |stream| {
                    stream.phase = Phase::Open;
                    stream.outdated = false;
                });
                go_on(state, number, claimed, Step::Creating(commit));
                if claimed {
                    state.send(run, number, if at_once { Ask::Publish(commit) } else { Ask::CreateBranch(commit) });
                }
            }
            (Move::Look, Step::Looking(commit)) => match state.site(run).branch {
                Some(found) if !found.is_fence() && found.base == commit.base => {
                    state.process_mut(number).step = Step::Opening(found);
                    state.send(run, number, Ask::OpenPull);
                }
                Some(_) => {
                    state.process_mut(number).step = Step::Forcing(commit);
                    state.send(run, number, Ask::ForceBranch(commit));
                }
                None => {
                    state.process_mut(number).step = Step::Creating(commit);
                    state.send(run, number, Ask::CreateBranch(commit));
                }
            },
            (Move::Survey, Step::Published(terms)) => {
                let is_base = terms.head.base == state.main || !self.has(Rule::SurveyReadsBase);
                if state.site(run).pull(terms.pull) != Pull::Open(terms.head) || !is_base {
                    return None;
                }
                state.process_mut(number).step = Step::Surveyed(terms);
            }
            (Move::Grant, Step::Surveyed(terms)) => {
                let stream = state.ledger.stream(run);
                let free = !self.has(Rule::OnePermit) || !state.ledger.other_open_permit(run);
                let fresh = !self.has(Rule::NothingPromotedSince) || !stream.outdated;
                if !(self.may_begin(state) && free && fresh) {
                    return None;
                }
                let granted = self.append(state, run, tip, |stream| stream.phase = Phase::Merging(terms));
                go_on(state, number, granted, Step::Asking { terms, certain: true });
                if granted {
                    state.send(run, number, merge(terms));
                }
            }
            (Move::AskAgain, Step::Refused(terms) | Step::Doubtful(terms)) => {
                return self.ask_again(state, number, terms);
            }
            (Move::Block, Step::Refused(_)) => {
                self.append(state, run, tip, |stream| stream.phase = Phase::Open);
                *state.process_mut(number) = Process::default();
            }
            (Move::Fail, Step::Refused(_)) => {
                self.append(state, run, tip, |stream| stream.phase = Phase::Failed(None));
                *state.process_mut(number) = Process::default();
            }
            (Move::Record, Step::Landed) => {
                self.record_promoted(state, run, tip);
                *state.process_mut(number) = Process::default();
            }
            (Move::TakeOver(run), Step::Idle) => return self.take_over(state, number, run),
            (Move::GiveUp { arrives }, Step::Asking { terms, certain }) => {
                self.let_go(state, number, arrives)?;
                let refused = certain && !self.has(Rule::LostAnswerIsDoubt);
                state.process_mut(number).step = if refused { Step::Refused(terms) } else { Step::Doubtful(terms) };
            }
            (Move::Stop { arrives }, _) => {
                self.let_go(state, number, arrives)?;
                *state.process_mut(number) = Process::default();
            }
            (Move::Fence(_) | Move::FenceOn, _) => return self.fence(state, number, what),
            _ => return None,
        }
        Some(())
    }

    /// Under the permit that it holds, after a look into the ledger.
    fn ask_again(&self, state: &mut State, number: u8, terms: Terms) -> Option<()> {
        let process = *state.process(number);
        let stream = state.ledger.stream(process.run);
        let last = stream.tip == process.tip && matches!(stream.phase, Phase::Merging(_));
        if self.has(Rule::AskingAgainIsReopened) && !(last && self.may_begin(state)) {
            return None;
        }
        let certain = matches!(process.step, Step::Refused(_));
        state.process_mut(number).step = Step::Asking { terms, certain };
        state.send(process.run, number, merge(terms));
        Some(())
    }

    /// Under a permit of its own, of the same terms.
    fn take_over(&self, state: &mut State, number: u8, run: Run) -> Option<()> {
        let stream = *state.ledger.stream(run);
        let Phase::Merging(terms) = stream.phase else { return None };
        if self.has(Rule::TakeoverObeysControl) && !self.may_begin(state) {
            return None;
        }
        if self.has(Rule::TakeoverIsWritten) {
            self.append(state, run, stream.tip, |_| {});
        }
        let tip = state.ledger.stream(run).tip;
        let certain = !self.has(Rule::TakeoverIsDoubtful);
        *state.process_mut(number) = Process { run, tip, step: Step::Asking { terms, certain } };
        state.send(run, number, merge(terms));
        state.witness(self, Witness::TakenOver);
        Some(())
    }

    /// A request whose sender waits no longer still arrives, or never does.
    fn let_go(&self, state: &mut State, number: u8, arrives: bool) -> Option<()> {
        let Some(slot) = state.network.of(number) else { return Some(()) };
        if !arrives {
            state.network.take(slot);
            return Some(());
        }
        if state.network.strays() >= self.bounds.strays {
            return None;
        }
        for request in state.network.iter_mut().filter(|request| request.from == Sender::Process(number)) {
            request.from = Sender::Gone;
        }
        Some(())
    }
}

/// Goes on from an event that was recorded; otherwise another process wrote to the run.
fn go_on(state: &mut State, number: u8, recorded: bool, step: Step) {
    let process = state.process(number);
    let run = process.run;
    *state.process_mut(number) =
        if recorded { Process { run, tip: state.ledger.stream(run).tip, step } } else { Process::default() };
}

const fn merge(terms: Terms) -> Ask {
    Ask::Merge { pull: terms.pull, head: terms.head }
}
