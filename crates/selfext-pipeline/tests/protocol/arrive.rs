//! What the forge does with a request that arrives.

use crate::Run;
use crate::forge::{Ask, Commit, Pull, Request, Sender};
use crate::ledger::Terms;
use crate::model::{Protocol, State, Witness};
use crate::process::{Process, Step};

impl Protocol {
    /// A request arrives. The forge may refuse a merge for reasons of its own.
    pub fn deliver(&self, state: &mut State, slot: usize, refused: bool) -> Option<()> {
        let Request { run, from, ask } = state.network.take(slot)?;
        let answered = match from {
            Sender::Process(number) => Some(number),
            Sender::Gone => None,
        };
        if refused && !(matches!(ask, Ask::Merge { .. }) && answered.is_some()) {
            return None;
        }
        let step = answered.map(|number| state.process(number).step);
        let next = match ask {
            Ask::CreateBranch(commit) => {
                let site = state.site_mut(run);
                if site.branch.is_none() {
                    site.set_branch(commit);
                    Step::Opening(commit)
                } else {
                    Step::Looking(commit)
                }
            }
            Ask::Publish(commit) => {
                let site = state.site_mut(run);
                let fresh = site.branch.is_none();
                if fresh {
                    site.set_branch(commit);
                }
                // GitHub opens a pull request of whatever the branch holds.
                match site.open() {
                    Some(pull) if fresh => Step::Published(Terms { pull, head: commit }),
                    _ => Step::Looking(commit),
                }
            }
            Ask::ForceBranch(commit) => {
                let site = state.site_mut(run);
                if site.branch.is_some() {
                    site.set_branch(commit);
                    Step::Opening(commit)
                } else {
                    Step::Looking(commit)
                }
            }
            Ask::OpenPull => match (state.site_mut(run).open(), step) {
                (Some(pull), Some(Step::Opening(head))) => Step::Published(Terms { pull, head }),
                _ => Step::Idle,
            },
            Ask::Merge { pull, head } => {
                let landed = !refused && self.land(state, run, pull, head);
                match step {
                    _ if landed => Step::Landed,
                    Some(Step::Asking { terms, certain: true }) => Step::Refused(terms),
                    Some(Step::Asking { terms, certain: false }) => Step::Doubtful(terms),
                    _ => Step::Idle,
                }
            }
        };
        if let Some(number) = answered {
            match next {
                Step::Idle => *state.process_mut(number) = Process::default(),
                next => state.process_mut(number).step = next,
            }
            if let Step::Opening(_) = next {
                state.send(run, number, Ask::OpenPull);
            }
        }
        Some(())
    }

    /// GitHub binds a merge to the pull request's head, and not to the base.
    fn land(&self, state: &mut State, run: Run, pull: u8, head: Commit) -> bool {
        if state.site(run).pull(pull) != Pull::Open(head) {
            return false;
        }
        let on_its_base = head.base == state.main;
        let site = state.site_mut(run);
        site.pulls[usize::from(pull)] = Pull::Merged(head);
        site.landed += 1;
        state.main += 1;
        state.landed_elsewhere |= !on_its_base;
        state.landed_in_quiet |= state.quiet;
        state.witness(self, Witness::Landed);
        if state.has_witnessed(Witness::Resumed) {
            state.witness(self, Witness::LandedAfterResume);
        }
        true
    }
}
