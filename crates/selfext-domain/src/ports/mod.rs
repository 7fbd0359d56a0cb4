//! The ports: what the pipeline needs of the world. Each is a contract that every adapter keeps, and that the contract
//! suites try on each of them.

mod archive;
mod clock;
mod control;
mod follower;
mod forge;
mod heartbeats;
mod leases;
mod ledger;
mod ledger_rows;
mod queries;
mod repositories;
mod rests;
mod verifier;
mod waits;
mod wakes;

pub use archive::{Archive, StoredCheckpoint};
pub use clock::{Clock, IdSource};
pub use control::{
    AcceptedHistory, ControlError, PauseAnswer, PauseRequest, PromotionControl, ResumeAnswer, ResumeRequest,
};
pub use follower::Follower;
pub use forge::{
    Annotation, BranchSince, Evidence, Forge, ForgeError, LandedCommit, MergeAnswer, MergeRefusal, Publication,
    Published, PullRequest, PullRequestState, QueueEntry, Retired, Standing, StandingRequest, Survey, SurveyScope,
};
pub use heartbeats::Heartbeats;
pub use leases::{Lease, Leases};
pub use ledger::{Ledger, LedgerError, MergeGrant};
pub use ledger_rows::{DerivedColumns, LedgerRow, LedgerRows, LedgerRowsIter};
pub use queries::{Baseline, Cursor, EventQuery, Overview, Queries, RunEntry, RunQuery, RunSelection, TimeRange};
pub use repositories::Repositories;
pub use rests::{RestListener, Rests};
pub use verifier::{Verifier, VerifierError};
pub use waits::{Wait, Waits};
pub use wakes::Wakes;

#[cfg(feature = "mocks")]
pub use archive::MockArchive;
#[cfg(feature = "mocks")]
pub use clock::{MockClock, MockIdSource};
#[cfg(feature = "mocks")]
pub use control::MockPromotionControl;
#[cfg(feature = "mocks")]
pub use follower::MockFollower;
#[cfg(feature = "mocks")]
pub use forge::MockForge;
#[cfg(feature = "mocks")]
pub use heartbeats::MockHeartbeats;
#[cfg(feature = "mocks")]
pub use leases::MockLeases;
#[cfg(feature = "mocks")]
pub use ledger::MockLedger;
#[cfg(feature = "mocks")]
pub use queries::MockQueries;
#[cfg(feature = "mocks")]
pub use repositories::MockRepositories;
#[cfg(feature = "mocks")]
pub use rests::{MockRestListener, MockRests};
#[cfg(feature = "mocks")]
pub use verifier::MockVerifier;
#[cfg(feature = "mocks")]
pub use waits::MockWaits;
#[cfg(feature = "mocks")]
pub use wakes::MockWakes;

/// What lies under an adapter's error.
pub type Source = Box<dyn std::error::Error + Send + Sync>;
