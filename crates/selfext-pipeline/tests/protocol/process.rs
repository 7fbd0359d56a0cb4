//! A promoting process: what it knows of the run it works on, and what it may do next.

use crate::Run;
use crate::forge::Commit;
use crate::ledger::{Terms, Tip};
use crate::model::Protocol;

/// Where a process is. Whatever it waits for is in the network under its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// It knows nothing: it has just started, or came to an end.
    #[default]
    Idle,
    /// It read the ledger and the base, and verified the change there.
    Verified {
        base: u8,
    },
    /// It wrote `tested`, and sent a request to make the branch, or the branch and the pull request.
    Creating(Commit),
    /// The branch is there already.
    Looking(Commit),
    /// It sent a request to move the branch by force.
    Forcing(Commit),
    /// The branch is at this head; it sent a request to open the pull request.
    Opening(Commit),
    Published(Terms),
    Surveyed(Terms),
    /// It holds the permit, and waits for the answer to a merge request. `certain`: it is the permit's only user, and every
    /// earlier request was answered.
    Asking {
        terms: Terms,
        certain: bool,
    },
    /// Its last request was refused, and it is certain that no other is on its way.
    Refused(Terms),
    /// A request under its permit may be on its way.
    Doubtful(Terms),
    /// The forge answered that it merged.
    Landed,
    /// It wrote `merge_fenced`, or found it written.
    FenceBegun(Terms),
    FenceMoved(Terms),
    FenceClosed(Terms),
    /// It looked, after the way was closed, and the change had not landed.
    FenceLooked(Terms),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Process {
    pub run: Run,
    /// The tip of the run's stream as this process knows it.
    pub tip: Tip,
    pub step: Step,
}

/// What a process does of its own accord.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Reads the ledger and the base's tip, and verifies.
    Verify(Run),
    /// Writes `tested`, and sends off its commit for the branch; with the pull request, or without.
    Claim { at_once: bool },
    /// Looks at the branch that is there already.
    Look,
    /// Reads pull request and base.
    Survey,
    /// Writes `merge_started`, and asks for the merge.
    Grant,
    /// Asks again under the permit that it holds.
    AskAgain,
    /// Closes the permit with `promotion_blocked`.
    Block,
    /// Closes the permit with `failed`.
    Fail,
    /// Writes `promoted`.
    Record,
    /// Takes up the merge of another process, or of its own former life, and asks for it.
    TakeOver(Run),
    /// Writes `merge_fenced`, because the deadline is over or an operator says so; or goes on with a fence.
    Fence(Run),
    /// The next step of a fence.
    FenceOn,
    /// Stops waiting for an answer. `arrives`: the request may still arrive.
    GiveUp { arrives: bool },
    /// Is killed, or ends.
    Stop { arrives: bool },
}

impl Process {
    pub fn moves(self, protocol: &Protocol, out: &mut Vec<Move>) {
        let waiting = |out: &mut Vec<Move>| out.extend([true, false].map(|arrives| Move::Stop { arrives }));
        match self.step {
            Step::Idle => {
                for run in 0..protocol.bounds.runs {
                    out.extend([Move::Verify(run), Move::TakeOver(run), Move::Fence(run)]);
                }
                return;
            }
            Step::Creating(_) | Step::Forcing(_) | Step::Opening(_) => return waiting(out),
            Step::Asking { .. } => {
                out.extend([true, false].map(|arrives| Move::GiveUp { arrives }));
                return waiting(out);
            }
            Step::Verified { .. } => out.extend([true, false].map(|at_once| Move::Claim { at_once })),
            Step::Looking(_) => out.push(Move::Look),
            Step::Published(_) => out.push(Move::Survey),
            Step::Surveyed(_) => out.push(Move::Grant),
            Step::Refused(_) => out.extend([Move::AskAgain, Move::Block, Move::Fail]),
            Step::Doubtful(_) => out.push(Move::AskAgain),
            Step::Landed => out.push(Move::Record),
            Step::FenceBegun(_) | Step::FenceMoved(_) | Step::FenceClosed(_) | Step::FenceLooked(_) => {
                out.push(Move::FenceOn);
            }
        }
        out.push(Move::Stop { arrives: false });
    }
}
