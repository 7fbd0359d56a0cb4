//! One form for all states that differ only in names: of events, of commits, of processes.
//!
//! Also forgets what can never matter again, so that such states count once: the tip that a process knows if no stream can
//! have it any more, and a stray merge request that the forge can only refuse.

use crate::forge::{Ask, Commit, Pull, Sender};
use crate::ledger::{NO_TIP, Phase};
use crate::model::{Protocol, State};
use crate::process::{Process, Step};
use crate::rules::Rule;
use crate::{NEW, PROCESSES};

/// New names, given in the order of appearance.
struct Names {
    of: [u8; NEW as usize + 1],
    next: u8,
}

impl Names {
    const fn from(first: u8) -> Self {
        Self { of: [0; NEW as usize + 1], next: first }
    }

    fn give(&mut self, old: u8) -> u8 {
        let name = &mut self.of[usize::from(old)];
        if *name == 0 {
            *name = self.next;
            self.next += 1;
        }
        *name
    }

    fn find(&self, old: u8) -> u8 {
        self.of[usize::from(old)]
    }
}

impl Protocol {
    pub fn canonical(&self, state: &mut State) {
        rename_tips(state);
        if self.has(Rule::CompareAndSet) && self.has(Rule::AskingAgainIsReopened) {
            forget_overtaken(state);
        }
        if self.has(Rule::CommitPerClaim) {
            forget_refused(state);
            rename_commits(state);
        }
        state.network.sort();
        if self.symmetric {
            sort_processes(state);
        }
    }
}

fn rename_tips(state: &mut State) {
    let mut names = Names::from(1);
    for stream in &mut state.ledger.streams {
        stream.tip = names.give(stream.tip);
    }
    for stream in state.past.ledgers_mut().iter_mut().flat_map(|ledger| &mut ledger.streams) {
        stream.tip = names.give(stream.tip);
    }
    for process in &mut state.processes {
        process.tip = names.find(process.tip);
    }
}

/// Whatever these processes would write or reopen is refused.
fn forget_overtaken(state: &mut State) {
    for process in &mut state.processes {
        let only_writes = matches!(
            process.step,
            Step::Verified { .. }
                | Step::Published(_)
                | Step::Surveyed(_)
                | Step::Refused(_)
                | Step::Doubtful(_)
                | Step::Landed
                | Step::FenceClosed(_)
                | Step::FenceLooked(_)
        );
        if process.tip == NO_TIP && only_writes {
            *process = Process::default();
        }
    }
}

fn forget_refused(state: &mut State) {
    let State { network, sites, processes, .. } = state;
    let on_the_way = *network;
    network.retain(|request| {
        let Ask::Merge { pull, head } = request.ask else { return true };
        let site = &sites[usize::from(request.run)];
        let placed = site.branch == Some(head)
            || site.pulls.iter().any(|pull| pull.record() == Some(head))
            || on_the_way.iter().any(|(_, other)| matches!(other.ask, Ask::CreateBranch(commit) | Ask::Publish(commit) | Ask::ForceBranch(commit) if commit == head))
            || processes.iter().any(|process| process.step == Step::Looking(head));
        request.from != Sender::Gone || (placed && !matches!(site.pull(pull), Pull::Merged(_)))
    });
}

fn rename_commits(state: &mut State) {
    let mut names = Names::from(Commit::FENCE.id);
    names.give(Commit::FENCE.id);
    let mut rename = |commit: &mut Commit| {
        if commit.id != 0 {
            commit.id = names.give(commit.id);
        }
    };
    for ledger in std::iter::once(&mut state.ledger).chain(state.past.ledgers_mut()) {
        for stream in &mut ledger.streams {
            if let Phase::Merging(terms) | Phase::Fencing(terms) | Phase::Failed(Some(terms)) = &mut stream.phase {
                rename(&mut terms.head);
            }
        }
    }
    for site in &mut state.sites {
        site.branch.iter_mut().for_each(&mut rename);
        for pull in &mut site.pulls {
            if let Pull::Open(head) | Pull::Closed(head) | Pull::Merged(head) = pull {
                rename(head);
            }
        }
    }
    for request in state.network.iter_mut() {
        if let Ask::CreateBranch(commit)
        | Ask::Publish(commit)
        | Ask::ForceBranch(commit)
        | Ask::Merge { head: commit, .. } = &mut request.ask
        {
            rename(commit);
        }
    }
    for process in &mut state.processes {
        match &mut process.step {
            Step::Creating(commit) | Step::Looking(commit) | Step::Forcing(commit) | Step::Opening(commit) => {
                rename(commit);
            }
            Step::Published(terms)
            | Step::Surveyed(terms)
            | Step::Asking { terms, .. }
            | Step::Refused(terms)
            | Step::Doubtful(terms)
            | Step::FenceBegun(terms)
            | Step::FenceMoved(terms)
            | Step::FenceClosed(terms)
            | Step::FenceLooked(terms) => rename(&mut terms.head),
            Step::Idle | Step::Verified { .. } | Step::Landed => {}
        }
    }
}

fn sort_processes(state: &mut State) {
    let mut order = [0_u8, 1, 2];
    order.sort_by_key(|number| state.processes[usize::from(*number)]);
    let mut places = [0_u8; PROCESSES];
    for (place, number) in (0..).zip(order) {
        places[usize::from(number)] = place;
    }
    state.processes.sort_unstable();
    for request in state.network.iter_mut() {
        if let Sender::Process(number) = &mut request.from {
            *number = places[usize::from(*number)];
        }
    }
    state.network.sort();
}
