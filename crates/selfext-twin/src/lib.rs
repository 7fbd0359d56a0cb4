//! A stand-in for GitHub on this machine: its REST API, and a little of its GraphQL API, over a real git repository.
//!
//! Blobs, trees, commits, refs, merges and conflicts are real; pull requests, statuses and check runs are kept
//! beside the repository and survive a restart. On demand the twin is slow, loses answers, drops connections or
//! answers nonsense, and it keeps a record of every exchange.
//!
//! ```no_run
//! use selfext_twin::{AutoCheck, StatusState, Twin, TwinConfig};
//!
//! # async fn example() -> Result<(), selfext_twin::TwinError> {
//! let twin = Twin::open("repository.git".as_ref(), TwinConfig::new("owner", "name")).await?;
//! let serving = twin.serve(([127, 0, 0, 1], 0).into()).await?;
//! let handle = serving.handle();
//! handle.on_new_head_set([AutoCheck::status("ci/test", StatusState::Success)]);
//! println!("{}", serving.base_url());
//! serving.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! # What it does not do
//!
//! - GraphQL beyond a few mutations (`createRef`, `createCommitOnBranch`, `createPullRequest`, `enqueuePullRequest`,
//!   `dequeuePullRequest`) and queries (a pull request, the members of a team); webhooks, reviews over the API, forks
//!   and more than one repository.
//! - Time in a merge queue: no entry waits for others to come, and none is thrown out for its checks' silence unless a
//!   test says so.
//! - What an App's token may: its rights are kept and told, but every request that carries one is done.
//! - Patches in lists of files, signatures that it verifies.
//! - Working trees: a branch that is checked out somewhere moves, and the files there stay as they are.
//! - Attributes: files are merged as plain text or as binaries, whatever `.gitattributes` says, because a merge
//!   driver is a program. Hooks are never run.
//! - GitHub's wording of refusals is followed where it is publicly known; refusals over protection are modelled.

mod api;
mod app;
mod clock;
mod config;
mod control;
mod error;
mod fault;
mod forge;
mod git;
mod handle;
mod http;
mod identity;
mod limits;
mod record;
mod state;
mod twin;
mod world;

pub use app::TwinApp;
pub use config::TwinConfig;
pub use control::{
    AppIdentity, AutoCheck, CheckConclusion, CheckOutcome, MergeMethod, MergeMethods, NewHead, Permission, Protection,
    ProtectionSource, PullSnapshot, QueueCommit, QueueEntry, QueueRules, RequiredCheck, ReviewState, StatusState,
};
pub use error::TwinError;
pub use fault::{Fault, FaultKind, Gate};
pub use git::GitError;
pub use handle::TwinHandle;
pub use http::Serving;
pub use limits::Limits;
pub use record::Exchange;
pub use twin::Twin;
