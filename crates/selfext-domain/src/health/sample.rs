//! What an agent, or a probe of it, says of its health.

use chrono::{DateTime, Utc};

use crate::invalid::check_label;
use crate::newtype::text_newtype;
use crate::{BranchName, CommitSha, RepositoryName};

text_newtype!(
    /// Who reports a heartbeat, for people: a host, a process, a probe. 1 to 128 characters, none of them a control character.
    Reporter,
    |text| check_label("reporter", text, 128)
);

/// One word of an agent, or of a probe, on how the agent is. It carries no time: the database's clock says when it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// The repository that the agent is built from.
    pub repository: RepositoryName,
    /// The branch of it.
    pub base: BranchName,
    /// The commit that runs.
    pub commit: CommitSha,
    /// Whether it is well.
    pub healthy: bool,
    /// Who says so.
    pub reporter: Reporter,
    /// What is wrong, for people. The adapter stores it as it is: redact before.
    pub detail: Option<String>,
}

/// A heartbeat as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthSample {
    /// When it was recorded, by the database's clock.
    pub at: DateTime<Utc>,
    /// The commit that ran.
    pub commit: CommitSha,
    /// Whether it was well.
    pub healthy: bool,
    /// Who said so.
    pub reporter: Reporter,
    /// What was wrong.
    pub detail: Option<String>,
}
