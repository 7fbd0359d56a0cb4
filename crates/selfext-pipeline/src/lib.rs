//! Promotion and reconciliation of selfext, over the domain's ports alone.
//!
//! [`Pipeline::promote`] takes a change set from `proposed` to `promoted`; killed at any instruction, the same call takes
//! it up where the ledger and the forge say it stands. [`Pipeline::reconcile`] settles merges that nobody waits for any
//! more, [`Pipeline::abandon`] ends a run.
//!
//! What ends a run, what may be taken up again:
//!
//! | the run is | the same change set again |
//! | --- | --- |
//! | open: proposed, tested, blocked (a pause, pending or red checks, a forge that does not answer, …) | goes on with it |
//! | merging or being fenced | settles it |
//! | promoted | is reported, nothing is done |
//! | rolled back | starts a new run, which waits for an operator's word |
//! | failed (verification, a head that moved, …) or abandoned | starts a new run, unless the old run's id is given |
//!
//! [`Reason::disposition`](selfext_domain::Reason::disposition) says of each reason which of the two it is.

mod abandon;
mod begin;
mod cleanup;
mod follow;
mod gate;
mod journal;
mod merge;
mod observer;
mod outcome;
mod pipeline;
mod promote;
mod publish;
mod queue;
mod reconcile;
mod refusals;
mod rollback;
mod settle;
mod sweep;
mod telling;
mod unrecorded;
mod verify;
mod watchdog;

pub use observer::{Observer, Silent, Step};
pub use outcome::{Ending, Outcome, PromoteError, PullRequestLink};
pub use pipeline::{Pipeline, PipelineConfig, Ports};
pub use reconcile::Reconciled;
pub use rollback::{RollbackEnding, RollbackOutcome, RollbackPlan};
pub use sweep::{Sweep, SweepError};
pub use watchdog::{Finding, Found, Tick, WatchConfig, Watchdog};
