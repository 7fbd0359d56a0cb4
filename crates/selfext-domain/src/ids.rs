//! Ids of runs, events and of the agent's own work.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::InvalidValue;
use crate::invalid::check_label;
use crate::newtype::text_newtype;

/// The longest id of the agent's own work, in characters.
const MAX_LABEL: usize = 256;

text_newtype!(
    /// The id of one run: any stable text of 1 to 128 characters without invisible characters, white space at its ends
    /// or the reserved word `control`. Made as a UUID v7 where the caller gives none.
    RunId,
    |text| {
        check_label("run id", text, 128)?;
        if text.eq_ignore_ascii_case(StreamId::CONTROL) {
            return Err(InvalidValue::new("run id", text, "is reserved for the control stream"));
        }
        Ok(())
    }
);
text_newtype!(
    /// What ties runs together that serve one request: by default the run's own id; a rollback carries its original's.
    CorrelationId,
    |text| check_label("correlation id", text, MAX_LABEL)
);
text_newtype!(
    /// The agent's goal that a change serves.
    GoalId,
    |text| check_label("goal id", text, MAX_LABEL)
);
text_newtype!(
    /// The agent's working cycle in which a change was made.
    CycleId,
    |text| check_label("cycle id", text, MAX_LABEL)
);
text_newtype!(
    /// The part of a goal that a change serves.
    SubGoalId,
    |text| check_label("sub-goal id", text, MAX_LABEL)
);
text_newtype!(
    /// The agent's tool that made a change.
    ToolName,
    |text| check_label("tool name", text, MAX_LABEL)
);
text_newtype!(
    /// The one call of the tool that made a change.
    ToolCallId,
    |text| check_label("tool call id", text, MAX_LABEL)
);
text_newtype!(
    /// What kind of actor wrote an event, for example `agent`, `operator` or `watchdog`.
    ActorSource,
    |text| check_label("actor source", text, 64)
);
text_newtype!(
    /// The name an operator gave. A claim, not a proof: the ledger keeps what the database knows beside it.
    OperatorName,
    |text| check_label("operator name", text, 128)
);

impl RunId {
    /// An id from a UUID that the edge made.
    #[must_use]
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid.to_string())
    }
}

impl ActorSource {
    /// The agent itself.
    #[must_use]
    pub fn agent() -> Self {
        Self("agent".to_owned())
    }

    /// A person at the command line.
    #[must_use]
    pub fn operator() -> Self {
        Self("operator".to_owned())
    }

    /// selfext itself, acting on what it read.
    #[must_use]
    pub fn selfext() -> Self {
        Self("selfext".to_owned())
    }
}

impl OperatorName {
    /// selfext itself, where it pauses promotion without being asked.
    #[must_use]
    pub fn selfext() -> Self {
        Self("selfext".to_owned())
    }

    /// selfext's watchdog, where it pauses promotion after repeated harm.
    #[must_use]
    pub fn breaker() -> Self {
        Self("breaker".to_owned())
    }
}

impl From<&RunId> for CorrelationId {
    fn from(run: &RunId) -> Self {
        Self(run.as_str().to_owned())
    }
}

/// The id of one event, chosen by its writer before the first try, so that a repeated append is recognised.
///
/// Use UUID v7: ids in the order of time cost the database about a quarter of the log of random ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(Uuid);

impl EventId {
    /// Takes a UUID that the edge made.
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The UUID.
    #[must_use]
    pub const fn as_uuid(&self) -> &Uuid {
        &self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The stream that an event belongs to: one a run, and `control` for what belongs to no run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamId {
    /// The events of one run.
    Run(RunId),
    /// Pauses, resumes and accepted histories.
    Control,
}

impl StreamId {
    /// The reserved name of the control stream.
    pub const CONTROL: &'static str = "control";

    /// Reads the name of a stream as the ledger stores it.
    ///
    /// # Errors
    /// [`InvalidValue`] if it is neither `control` nor a legal run id.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        if text == Self::CONTROL { Ok(Self::Control) } else { RunId::parse(text).map(Self::Run) }
    }

    /// The name of the stream as the ledger stores it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Run(run) => run.as_str(),
            Self::Control => Self::CONTROL,
        }
    }

    /// The run, unless this is the control stream.
    #[must_use]
    pub const fn run(&self) -> Option<&RunId> {
        match self {
            Self::Run(run) => Some(run),
            Self::Control => None,
        }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<RunId> for StreamId {
    fn from(run: RunId) -> Self {
        Self::Run(run)
    }
}

/// The number of a pull request in its repository; never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct PullRequestNumber(u64);

impl PullRequestNumber {
    /// Takes a number from the forge.
    ///
    /// # Errors
    /// [`InvalidValue`] for zero and for numbers that the database's signed 64 bits cannot hold.
    pub fn new(number: u64) -> Result<Self, InvalidValue> {
        if number == 0 || i64::try_from(number).is_err() {
            return Err(InvalidValue::new("pull request number", &number.to_string(), "is out of range"));
        }
        Ok(Self(number))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl FromStr for PullRequestNumber {
    type Err = InvalidValue;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.parse().map_err(|_| InvalidValue::new("pull request number", text, "is no number"))?;
        Self::new(number)
    }
}

impl TryFrom<u64> for PullRequestNumber {
    type Error = InvalidValue;
    fn try_from(number: u64) -> Result<Self, Self::Error> {
        Self::new(number)
    }
}

impl From<PullRequestNumber> for u64 {
    fn from(number: PullRequestNumber) -> Self {
        number.0
    }
}

impl fmt::Display for PullRequestNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_id_is_any_stable_text_up_to_128_characters() {
        for good in ["1", "0198f1d2-7b3c-7a00-8000-000000000001", "goal/7 step 2", "Ärger", &"x".repeat(128)] {
            assert!(RunId::parse(good).is_ok(), "{good}");
        }
        for bad in ["", " a", "a ", "a\nb", "a\0b", "a\u{200b}b", "control", "Control", &"x".repeat(129)] {
            assert!(RunId::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_error_shows_a_refused_value_escaped_and_shortened() {
        let error = RunId::parse(format!("\u{1b}[31m{}", "x".repeat(500))).unwrap_err().to_string();
        assert!(!error.contains('\u{1b}') && error.len() < 300, "{error}");
    }
}
