//! How the landed changes of a base branch stand.

use chrono::{DateTime, Utc};

use crate::{CommitSha, RunId};

/// How the landed changes of one base branch stand, as the ledger tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthStanding {
    /// The runs that hold others back, oldest first: their health window is open, they are sick or being taken back, or they could
    /// not be taken back and no operator has acknowledged it.
    pub watched: Vec<RunId>,
    /// The last commit that is known to be healthy: that of the last window that passed. Before any did, the commit that was
    /// verified under the first change that had to prove itself. `None` before that.
    pub baseline: Option<CommitSha>,
    /// How many rollbacks ended, well or not, within the time that was asked about and since promotion was last resumed: who
    /// resumes has seen them.
    pub rollbacks: u64,
    /// Now, by the database's clock.
    pub now: DateTime<Utc>,
}
