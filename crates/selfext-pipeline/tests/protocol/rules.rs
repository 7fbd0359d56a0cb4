//! The rules of the protocol that can be taken away, and the bounds within which it is explored.

use std::fmt;

/// A rule that a variant of the protocol may lack, to show that it is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// An append names the tip that its writer knows.
    CompareAndSet,
    /// A takeover writes a `merge_started` of its own.
    TakeoverIsWritten,
    /// A takeover needs promotion to be running, in the accepted history.
    TakeoverObeysControl,
    /// Asking again needs the permit to be the run's last event and promotion to be running.
    AskingAgainIsReopened,
    /// A lost answer makes its holder doubtful.
    LostAnswerIsDoubt,
    /// A takeover is doubtful from the start.
    TakeoverIsDoubtful,
    /// One open permit into the base.
    OnePermit,
    /// No `promoted` into the base since the run's own `tested`.
    NothingPromotedSince,
    /// The grant checks that the base's tip is the verified one (the survey).
    SurveyReadsBase,
    /// A grant and a takeover need the server's history to be the accepted one.
    HistoryAtGrant,
    /// A pause answers "nothing in flight" only in the accepted history.
    HistoryAtPause,
    /// A pause answers from a snapshot that still says paused: another operator may have resumed since.
    PausedAtAnswer,
    /// A pause counts merges that are being fenced.
    FencingIsInFlight,
    /// Each claim makes a commit of its own.
    CommitPerClaim,
    /// A fence moves the branch off the head.
    FenceMovesBranch,
    /// A fence makes a branch that is gone anew.
    FenceMakesBranch,
    /// A fence looks whether the merge landed, after it closed the way.
    FenceLooksLast,
    /// A fenced branch is deleted only if the record of the permit's pull request shows a fence commit.
    FencedBranchIsKept,
    /// Any branch of a run that is over is first moved to a fence commit, and deleted only if the record of each of its unmerged
    /// pull requests shows one.
    EveryRecordCounts,
    /// Before a changed history is accepted, every branch is moved to a fence commit and every pull request closed.
    SweepBeforeAccept,
}

/// How much may happen.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub runs: u8,
    pub processes: u8,
    /// How many requests whose sender is gone, or waits no longer, may be on their way at once.
    pub strays: usize,
    pub pauses: u8,
    pub failovers: u8,
    /// How many commits a failover may lose.
    pub lost: usize,
    /// How many acts of people: closing and reopening a pull request, deleting and restoring a branch.
    pub people: u8,
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", count(self.runs, "run", "runs"), count(self.processes, "process", "processes"))?;
        write!(f, ", {}", count(u8::try_from(self.strays).unwrap_or(u8::MAX), "stray", "strays"))?;
        write!(f, ", {}", count(self.pauses, "pause", "pauses"))?;
        if self.failovers > 0 {
            write!(f, ", {} that loses up to {}", count(self.failovers, "failover", "failovers"), self.lost)?;
        }
        if self.people > 0 {
            write!(f, ", {} of people", count(self.people, "act", "acts"))?;
        }
        Ok(())
    }
}

fn count(number: u8, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
