//! What people type who look.

use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use clap::{ArgGroup, Args};
use selfext::{
    Cursor, EventBody, GoalId, LedgerError, Operations, Position, PullRequestNumber, RepositoryName, RunSelection,
    TimeRange, ToolName,
};

/// Which runs.
#[derive(Args, Debug)]
#[command(group(ArgGroup::new("which")))]
pub struct Runs {
    /// Those on their way to the base branch.
    #[arg(long, group = "which")]
    pub open: bool,
    /// Those that are blocked, and why.
    #[arg(long, group = "which")]
    pub blocked: bool,
    /// Those that serve this goal.
    #[arg(long, value_name = "ID", group = "which")]
    pub goal: Option<GoalId>,
    /// Those whose change this tool made.
    #[arg(long, value_name = "NAME", group = "which")]
    pub tool: Option<ToolName>,
    /// Those of this pull request; before anything was decided of it, a run does not name it.
    #[arg(long, value_name = "NUMBER", group = "which", requires = "repository")]
    pub pull_request: Option<PullRequestNumber>,
    /// The pull request's repository.
    #[arg(long, value_name = "OWNER/NAME", requires = "pull_request")]
    pub repository: Option<RepositoryName>,
    #[command(flatten)]
    pub proposed: Times,
    /// How many, at most 1000.
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
    /// The next page: where the last one ended, as it says.
    #[arg(long, value_name = "CURSOR")]
    pub before: Option<Cursor>,
}

impl Runs {
    /// What was asked for.
    pub fn selection(&self) -> RunSelection {
        match (&self.goal, &self.tool, self.repository.as_ref().zip(self.pull_request)) {
            (Some(goal), ..) => RunSelection::Goal(goal.clone()),
            (_, Some(tool), _) => RunSelection::Tool(tool.clone()),
            (.., Some((repository, number))) => RunSelection::PullRequest(repository.clone(), number),
            _ if self.open => RunSelection::Open,
            _ if self.blocked => RunSelection::Blocked,
            _ => RunSelection::All,
        }
    }
}

/// Which events.
#[derive(Args, Debug)]
pub struct Events {
    /// Only this run; `control` for pauses and resumes.
    #[arg(long, value_name = "ID")]
    pub run: Option<String>,
    /// Only this type, as `failed` or `promotion_blocked`. May be repeated.
    #[arg(long = "type", value_name = "TYPE", value_parser = event_type)]
    pub types: Vec<String>,
    #[command(flatten)]
    pub recorded: Times,
    /// Go on as new events come, until interrupted.
    #[arg(long, conflicts_with_all = ["since", "until"])]
    pub follow: bool,
    /// Only what comes behind this position, which --json tells of each event: go on where you stopped.
    #[arg(long, value_name = "POSITION", conflicts_with_all = ["since", "until"])]
    pub after: Option<Position>,
}

/// A part of the ledger's time.
#[derive(Args, Debug)]
pub struct Times {
    /// From this time on: 2026-11-27T15:00:00Z, or how long ago: 2h, 3days.
    #[arg(long, value_name = "TIME")]
    pub since: Option<Time>,
    /// Before this time.
    #[arg(long, value_name = "TIME")]
    pub until: Option<Time>,
}

impl Times {
    /// Whether anything was asked for.
    pub const fn is_given(&self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    /// What was asked for. Ages are of the ledger's clock.
    pub async fn range(&self, operations: &Operations) -> Result<TimeRange, LedgerError> {
        let ages = [self.since, self.until].iter().any(|time| matches!(time, Some(Time::Ago(_))));
        let now = if ages { operations.time().await? } else { DateTime::UNIX_EPOCH };
        Ok(TimeRange {
            since: self.since.map(|time| time.seen_at(now)),
            until: self.until.map(|time| time.seen_at(now)),
        })
    }
}

/// A time as a person says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    At(DateTime<Utc>),
    Ago(TimeDelta),
}

impl Time {
    fn seen_at(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::At(time) => time,
            Self::Ago(age) => now.checked_sub_signed(age).unwrap_or(DateTime::<Utc>::MIN_UTC),
        }
    }
}

impl FromStr for Time {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self::At(time.to_utc()));
        }
        let age = humantime::parse_duration(text).ok().and_then(|age| TimeDelta::from_std(age).ok());
        age.map(Self::Ago).ok_or("it is neither a time as 2026-11-27T15:00:00Z nor an age as 90s, 2h or 3days")
    }
}

/// A type that this version knows, so that a slip of the pen finds something.
fn event_type(text: &str) -> Result<String, String> {
    if EventBody::TYPES.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(format!("there are {}", EventBody::TYPES.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_date_with_a_zone_or_an_age() {
        let now: DateTime<Utc> = "2026-11-27T15:00:00Z".parse().unwrap();
        for text in ["2026-11-27T15:00:00Z", "2026-11-27T16:00:00+01:00", "2026-11-27T15:00:00.000z"] {
            assert_eq!(text.parse(), Ok(Time::At(now)), "{text}");
        }
        for (text, expected) in [
            ("2h 30m", "2026-11-27T12:30:00Z"),
            ("0s", "2026-11-27T15:00:00Z"),
            ("500ms", "2026-11-27T14:59:59.5Z"),
            ("1day", "2026-11-26T15:00:00Z"),
        ] {
            assert_eq!(
                text.parse::<Time>().unwrap().seen_at(now),
                expected.parse::<DateTime<Utc>>().unwrap(),
                "{text}"
            );
        }
        assert_eq!("200000000000days".parse::<Time>().map(|time| time.seen_at(now)).ok(), None);
        assert_eq!("100000000days".parse::<Time>().unwrap().seen_at(now), DateTime::<Utc>::MIN_UTC);
        for odd in ["", "yesterday", "2026-11-27", "2026-11-27T15:00:00", "-2h", "5", "9999999999999999years"] {
            assert!(odd.parse::<Time>().is_err(), "{odd}");
        }
    }
}
