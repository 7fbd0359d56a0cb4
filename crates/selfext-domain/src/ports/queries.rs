//! The port of people who look: pages of runs and events, found by what they are about.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{ControlError, LedgerError, Wait};
use crate::{
    BranchName, CommitSha, ControlState, GoalId, InvalidValue, PermitTerms, Phase, PullRequestNumber, RecordedEvent,
    RepositoryName, ToolName,
};

/// Where a page ends and the next one begins: the time of an event, by the database's clock, and its number among all events.
/// Meaningful for one ledger only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor {
    /// When the event was recorded.
    pub at: DateTime<Utc>,
    /// Its row's number.
    pub id: u64,
}

impl Cursor {
    /// The cursor of an event.
    #[must_use]
    pub const fn of(event: &RecordedEvent) -> Self {
        Self { at: event.recorded_at, id: event.position.id }
    }

    /// Before every event of this time, and behind every earlier one.
    #[must_use]
    pub const fn before(at: DateTime<Utc>) -> Self {
        Self { at, id: 0 }
    }
}

impl FromStr for Cursor {
    type Err = InvalidValue;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| text.parse::<u64>().ok().filter(|_| !text.starts_with('+'));
        let read = || {
            let (at, id) = text.split_once('.')?;
            let at = DateTime::from_timestamp_micros(i64::try_from(number(at)?).ok()?)?;
            Some(Self { at, id: number(id)? })
        };
        read().ok_or_else(|| InvalidValue::new("cursor", text, "is not two numbers with a dot between them"))
    }
}

impl fmt::Display for Cursor {
    /// The microseconds since 1970, and the row's number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at.timestamp_micros().max(0), self.id)
    }
}

/// A part of the ledger's time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeRange {
    /// From this time on; without it, from the beginning.
    pub since: Option<DateTime<Utc>>,
    /// Before this time; without it, to the end.
    pub until: Option<DateTime<Utc>>,
}

/// Which runs to look for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RunSelection {
    /// All of them.
    #[default]
    All,
    /// Those on their way to the base branch.
    Open,
    /// Those whose last event is a refusal which may pass. It says why.
    Blocked,
    /// Those that serve a goal.
    Goal(GoalId),
    /// Those whose change a tool made.
    Tool(ToolName),
    /// Those of which an event names a pull request. Until one does, a run is not found by its pull request.
    PullRequest(RepositoryName, PullRequestNumber),
}

/// A page of runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunQuery {
    /// Which ones.
    pub selection: RunSelection,
    /// When they were proposed.
    pub proposed: TimeRange,
    /// Those proposed before this: the last entry's [`RunEntry::cursor`] of the page before.
    pub before: Option<Cursor>,
    /// How many at most.
    pub limit: u32,
}

/// A page of events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventQuery {
    /// Their types; all, if there is none.
    pub types: Vec<String>,
    /// When they were recorded.
    pub recorded: TimeRange,
    /// Those behind this: [`Cursor::of`] the last event of the page before.
    pub after: Option<Cursor>,
    /// How many at most.
    pub limit: u32,
}

/// One run in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunEntry {
    /// Where its `proposed` event stands, by which lists are sorted.
    pub cursor: Cursor,
    /// Its last event.
    pub last: RecordedEvent,
}

impl RunEntry {
    /// Where it stands; `None` if its last event is of a later version.
    #[must_use]
    pub const fn phase(&self) -> Option<Phase> {
        Phase::of_last(&self.last.event.body)
    }
}

/// How everything stands at one moment.
#[derive(Debug)]
pub struct Overview {
    /// Whether promotion is paused. An error is to be taken for "paused".
    pub control: Result<ControlState, ControlError>,
    /// The merges that may happen at any moment, oldest first.
    pub in_flight: Vec<PermitTerms>,
    /// How many runs are open.
    pub open_runs: u64,
    /// The latest of those, the latest first.
    pub open: Vec<RunEntry>,
    /// The latest runs of all, the latest first.
    pub latest: Vec<RunEntry>,
    /// The landed runs that hold others back, all of them, in the order in which they landed.
    pub watched: Vec<RunEntry>,
    /// The baselines, by repository and base.
    pub baselines: Vec<Baseline>,
    /// The promotions that wait, oldest first: of open runs that may not merge at any moment, and not yet past their time.
    pub waits: Vec<Wait>,
}

/// The last commit of a base branch that is known to be healthy: see [`HealthStanding::baseline`](crate::HealthStanding::baseline).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// The repository.
    pub repository: RepositoryName,
    /// The branch.
    pub base: BranchName,
    /// The commit.
    pub commit: CommitSha,
}

/// What people ask the ledger. Each page is found by an index, so that it costs what it holds and not what the ledger holds;
/// open and blocked runs cost what is open.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Queries: Send + Sync {
    /// How everything stands, with up to `limit` runs in the lists of open and of latest runs. One round trip, and of one moment.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] if an event, a baseline or a wait cannot be read; [`LedgerError::Unavailable`], [`LedgerError::Refused`].
    async fn overview(&self, limit: u32) -> Result<Overview, LedgerError>;

    /// A page of runs, the latest proposed first. One round trip.
    ///
    /// # Errors
    /// As [`Queries::overview`].
    async fn runs(&self, query: &RunQuery) -> Result<Vec<RunEntry>, LedgerError>;

    /// A page of events of all streams, the earliest recorded first. One round trip. It is a look at what is there: an event whose
    /// transaction is still open has its time already, and shows only later. What must not be missed is read by
    /// [`Ledger::read_after`](super::Ledger::read_after) or followed.
    ///
    /// # Errors
    /// As [`Queries::overview`].
    async fn events(&self, query: &EventQuery) -> Result<Vec<RecordedEvent>, LedgerError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_as_it_is_displayed() {
        for (at, id) in [(0, 0), (1, u64::MAX), (1_764_256_116_123_456, 7)] {
            let cursor = Cursor { at: DateTime::from_timestamp_micros(at).unwrap(), id };
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for odd in ["", ".", "7", "1.2.3", "x.1", "1.", ".1", "+1.2", "1.+2", "-1.2", "1 .2", "9223372036854775808.1"] {
            assert!(odd.parse::<Cursor>().is_err(), "{odd}");
        }
    }
}
