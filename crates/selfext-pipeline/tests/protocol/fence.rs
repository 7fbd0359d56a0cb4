//! Making a merge that may still arrive impossible, and taking away what a failed run left.

use crate::Run;
use crate::forge::{Commit, Pull, Site};
use crate::ledger::{Phase, Terms};
use crate::model::{Protocol, State, Witness};
use crate::process::{Move, Process, Step};
use crate::rules::Rule;

impl Protocol {
    pub fn fence(&self, state: &mut State, number: u8, what: Move) -> Option<()> {
        let process = *state.process(number);
        let (run, tip) = (process.run, process.tip);
        match (what, process.step) {
            (Move::Fence(run), Step::Idle) => {
                let stream = *state.ledger.stream(run);
                let terms = stream.open_permit()?;
                if matches!(stream.phase, Phase::Merging(_)) {
                    self.append(state, run, stream.tip, |stream| stream.phase = Phase::Fencing(terms));
                }
                let tip = state.ledger.stream(run).tip;
                *state.process_mut(number) = Process { run, tip, step: Step::FenceBegun(terms) };
            }
            (Move::FenceOn, Step::FenceBegun(terms)) => {
                self.move_off(state, run, terms.head);
                state.process_mut(number).step = Step::FenceMoved(terms);
            }
            (Move::FenceOn, Step::FenceMoved(terms)) => {
                state.site_mut(run).close(usize::from(terms.pull));
                let looks = self.has(Rule::FenceLooksLast);
                state.process_mut(number).step =
                    if looks { Step::FenceClosed(terms) } else { Step::FenceLooked(terms) };
            }
            (Move::FenceOn, Step::FenceClosed(terms)) => {
                if state.site(run).landed > 0 {
                    state.process_mut(number).step = Step::Landed;
                    state.witness(self, Witness::FenceFoundLanded);
                } else {
                    state.process_mut(number).step = Step::FenceLooked(terms);
                }
            }
            (Move::FenceOn, Step::FenceLooked(terms)) => {
                if self.append(state, run, tip, |stream| stream.phase = Phase::Failed(Some(terms))) {
                    state.witness(self, Witness::FenceFailed);
                }
                *state.process_mut(number) = Process::default();
            }
            _ => return None,
        }
        Some(())
    }

    /// Moves the branch one fence commit ahead of the head, unless it is elsewhere already.
    fn move_off(&self, state: &mut State, run: Run, head: Commit) {
        let site = state.site_mut(run);
        match site.branch {
            Some(found) if found == head && self.has(Rule::FenceMovesBranch) => site.set_branch(Commit::FENCE),
            None if self.has(Rule::FenceMakesBranch) => site.set_branch(Commit::FENCE),
            Some(_) | None => {}
        }
    }

    /// Any process closes the pull request of a run that is over.
    pub fn close_over(&self, state: &mut State, run: Run) -> Option<()> {
        let over = matches!(state.ledger.stream(run).phase, Phase::Failed(_) | Phase::Promoted);
        if !over || state.site(run).open_pull().is_none() {
            return None;
        }
        let site = state.site_mut(run);
        if self.has(Rule::EveryRecordCounts) {
            site.set_branch(Commit::FENCE);
        }
        site.close_all();
        Some(())
    }

    /// Any process deletes the branch of a run that is over, or was found landed.
    pub fn delete_over(&self, state: &mut State, run: Run) -> Option<()> {
        let site = state.site(run);
        let may = match state.ledger.stream(run).phase {
            Phase::Promoted | Phase::Failed(None) => self.may_delete(site, None),
            Phase::Failed(Some(terms)) => self.may_delete(site, Some(terms)),
            Phase::Merging(_) | Phase::Fencing(_) => site.landed > 0 && self.may_delete(site, None),
            Phase::Open => false,
        };
        if !may || site.branch.is_none() || site.open_pull().is_some() {
            return None;
        }
        state.site_mut(run).delete_branch();
        Some(())
    }

    /// People can make a deleted branch again where the record of any of its pull requests shows its head, and then open a
    /// closed one again.
    fn may_delete(&self, site: &Site, fenced: Option<Terms>) -> bool {
        let shows_fence = |pull: Pull| match pull {
            Pull::Absent | Pull::Merged(_) => true,
            Pull::Open(head) | Pull::Closed(head) => head.is_fence(),
        };
        match fenced {
            Some(_) if !self.has(Rule::FencedBranchIsKept) => true,
            Some(terms) if !self.has(Rule::EveryRecordCounts) => shows_fence(site.pull(terms.pull)),
            None if !self.has(Rule::EveryRecordCounts) => true,
            Some(_) | None => site.pulls.iter().copied().all(shows_fence),
        }
    }
}
