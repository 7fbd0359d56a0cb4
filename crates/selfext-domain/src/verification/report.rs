//! How one stage went.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Limit, WallReport};
use crate::{Digest32, RedactedText, StageKind};

/// How one stage ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "result")]
pub enum StageResult {
    /// It ended with exit code 0, and its output was as the rules ask.
    Passed,
    /// It ended by itself with another exit code, or by a signal.
    Failed {
        /// The exit code, unless a signal ended it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exit_code: Option<i32>,
        /// The signal that ended it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signal: Option<i32>,
    },
    /// It ended with exit code 0, but what is kept of its output does not match `must_match`.
    OutputUnmatched,
    /// It ran longer than its time limit and was ended.
    TimedOut,
    /// Another limit ended it.
    LimitHit {
        /// Which.
        limit: Limit,
    },
    /// Its program could not be started.
    CouldNotStart,
}

impl StageResult {
    /// Whether the next stage may run.
    #[must_use]
    pub const fn passed(self) -> bool {
        matches!(self, Self::Passed)
    }
}

impl fmt::Display for StageResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("passed"),
            Self::Failed { exit_code: Some(code), .. } => write!(f, "failed with exit code {code}"),
            Self::Failed { signal: Some(signal), .. } => write!(f, "was ended by signal {signal}"),
            Self::Failed { .. } => f.write_str("failed"),
            Self::OutputUnmatched => f.write_str("ended well, but its output is not what the rules ask for"),
            Self::TimedOut => f.write_str("ran longer than its limit"),
            Self::LimitHit { limit } => write!(f, "was ended at its limit on {limit}"),
            Self::CouldNotStart => f.write_str("could not start"),
        }
    }
}

/// What a stage's outcome is about, in one word that a program can match on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// Preparing what later stages need.
    Setup,
    /// Building.
    Compile,
    /// Testing.
    Test,
    /// Whether the program starts.
    StartUp,
    /// Anything else that the rules ask for.
    Check,
    /// It took too long.
    TimeOut,
    /// It wanted more of the machine than it may have.
    Resource,
    /// The machine or the rules lack something, whatever the candidate does.
    Infrastructure,
}

impl Category {
    /// The category of a stage of some kind that ended in some way.
    #[must_use]
    pub const fn of(kind: StageKind, result: StageResult) -> Self {
        match result {
            StageResult::TimedOut => Self::TimeOut,
            StageResult::LimitHit { .. } => Self::Resource,
            StageResult::CouldNotStart => Self::Infrastructure,
            StageResult::Passed | StageResult::Failed { .. } | StageResult::OutputUnmatched => match kind {
                StageKind::Setup => Self::Setup,
                StageKind::Compile => Self::Compile,
                StageKind::Test => Self::Test,
                StageKind::StartUp => Self::StartUp,
                StageKind::Check => Self::Check,
            },
        }
    }

    /// The word in the ledger and on the forge.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Compile => "compile",
            Self::Test => "test",
            Self::StartUp => "start-up",
            Self::Check => "check",
            Self::TimeOut => "time-out",
            Self::Resource => "resource",
            Self::Infrastructure => "infrastructure",
        }
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How dependencies that are prepared on the base were come by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    /// What they are kept under: it covers the stage, the lock files, and what they were prepared on top of.
    pub key: Digest32,
    /// Whether an earlier run prepared them. The report is of that time then.
    pub reused: bool,
}

/// What one stage of the rules did to the candidate. What earlier versions did not write is empty when read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageReport {
    /// The stage's name in the rules.
    pub name: String,
    /// What the stage is for, by the rules.
    #[serde(default)]
    pub kind: StageKind,
    /// The program and its arguments, redacted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// How it ended.
    #[serde(flatten)]
    pub result: StageResult,
    /// What that is about; nothing in a report of an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// How long it ran.
    pub duration_ms: u64,
    /// How many bytes of output it wrote, of which the tail is kept.
    pub output_bytes: u64,
    /// The last lines of its output, redacted.
    pub output: RedactedText,
    /// The pattern that the output did not match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub must_match: Option<String>,
    /// That it prepared dependencies on the base; nothing if it ran on the candidate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepared: Option<Prepared>,
    /// The walls that stood around it, and those that were missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub walls: Vec<WallReport>,
}

impl StageReport {
    /// How it went, in words: `passed after 12 ms`.
    #[must_use]
    pub fn summary(&self) -> String {
        let Self { result, duration_ms, prepared, .. } = self;
        match prepared {
            None => format!("{result} after {duration_ms} ms"),
            Some(Prepared { reused: false, .. }) => format!("{result} on the base after {duration_ms} ms"),
            Some(Prepared { reused: true, .. }) => format!("{result} on the base in an earlier run, and was kept"),
        }
    }

    /// The walls that this machine did not offer.
    pub fn missing_walls(&self) -> impl Iterator<Item = &WallReport> {
        self.walls.iter().filter(|wall| wall.missing().is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Keep, Mechanism, TextCap, Wall, WallState};

    #[test]
    fn a_report_of_the_first_version_is_read() {
        let old = r#"{"name":"t","result":"failed","exit_code":3,"duration_ms":4,"output_bytes":5,"output":"x"}"#;
        let report: StageReport = serde_json::from_str(old).unwrap();
        assert_eq!(report.result, StageResult::Failed { exit_code: Some(3), signal: None });
        assert_eq!((report.kind, report.category, report.walls.len()), (StageKind::Check, None, 0));
    }

    #[test]
    fn a_report_is_what_it_was_after_writing_and_reading() {
        let stood = WallState::Stood { by: vec![Mechanism::Landlock, Mechanism::MountNamespace] };
        let report = StageReport {
            name: "t".into(),
            kind: StageKind::StartUp,
            command: vec!["true".into()],
            result: StageResult::LimitHit { limit: Limit::CpuTime },
            category: Some(Category::Resource),
            duration_ms: 1,
            output_bytes: 2,
            output: RedactedText::from_text("x", TextCap { max_bytes: 10, keep: Keep::Tail }),
            must_match: None,
            prepared: Some(Prepared { key: Digest32::of(b"x"), reused: true }),
            walls: vec![
                WallReport { wall: Wall::Files, state: stood },
                WallReport { wall: Wall::Network, state: WallState::Missing { why: "no".into() } },
            ],
        };
        let text = serde_json::to_string(&report).unwrap();
        assert!(text.contains(r#""result":"limit-hit","limit":"cpu-time""#), "{text}");
        assert_eq!(serde_json::from_str::<StageReport>(&text).unwrap(), report);
        assert_eq!(report.missing_walls().count(), 1);
    }

    #[test]
    fn the_category_says_what_the_outcome_is_about() {
        let failed = StageResult::Failed { exit_code: Some(1), signal: None };
        assert_eq!(Category::of(StageKind::Test, failed), Category::Test);
        assert_eq!(Category::of(StageKind::Test, StageResult::TimedOut), Category::TimeOut);
        assert_eq!(Category::of(StageKind::Compile, StageResult::CouldNotStart), Category::Infrastructure);
        let memory = StageResult::LimitHit { limit: Limit::Memory };
        assert_eq!(Category::of(StageKind::Compile, memory), Category::Resource);
    }
}
