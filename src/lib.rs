//! selfext: the one safe path by which an agent that rewrites its own code gets a rewrite onto its main branch.
//!
//! An agent embeds [`Selfext`]; operators' acts are [`Operations`], of which the command `selfext` is a thin shell.
//!
//! ```no_run
//! # async fn demo() -> Result<(), Box<dyn std::error::Error>> {
//! use selfext::{ChangeSet, Ending, ExecutionContext, RepoPath, RepositoryName, Selfext, ToolName};
//!
//! let selfext = Selfext::builder(RepositoryName::parse("octo-org/agent")?)
//!     .github_token(&std::env::var("SELFEXT_GITHUB_TOKEN")?)?
//!     .open()
//!     .await?;
//! let change = ChangeSet::builder("Retry the fetch", ExecutionContext::new(ToolName::parse("self-edit")?))
//!     .write(RepoPath::parse("src/fetch.rs")?, "…")
//!     .build()?;
//! if let Ending::Promoted { commit, .. } = selfext.promote(&change).await?.ending {
//!     println!("running {commit} next");
//! }
//! # Ok(()) }
//! ```

mod acknowledgement;
mod allowance;
mod auditing;
mod builder;
mod doctor;
mod edge;
mod git_remote;
mod heartbeat;
mod merge_end;
mod operations;
mod places;
mod probe;
mod wakes;
mod watching;

pub use acknowledgement::AcknowledgeError;
pub use allowance::{AllowError, Allowance};
pub use auditing::{Audit, ExportFailure, Exported, ProveError, SealError, Sealed};
pub use builder::{InvalidApp, OpenError, Selfext, SelfextBuilder};
pub use doctor::{Condition, Finding};
pub use edge::{SystemClock, UuidSource};
pub use heartbeat::this_host;
pub use merge_end::MergeEnd;
pub use operations::Operations;
pub use places::{PlacesError, default_cache, default_database};
pub use probe::{InvalidProbe, Look, Probe};

pub use selfext_audit as audit;
pub use selfext_domain::ports::{
    Baseline, ControlError, Cursor, EventQuery, Follower, ForgeError, LedgerError, Overview, PauseAnswer, ResumeAnswer,
    Retired, RunEntry, RunQuery, RunSelection, TimeRange, VerifierError, Wait,
};
pub use selfext_domain::{
    ActorSource, Allowable, BranchName, BreakerRules, ChangeSet, ChangeSetBuilder, ChangeSetError, CommitSha,
    ContextFinding, ContextVerdict, ControlState, CorrelationId, CycleId, Digest32, Disposition, Event, EventBody,
    EventId, ExecutionContext, FileChange, Fingerprint, GoalId, HealthRules, HealthTerms, HealthWindow, Heartbeat,
    History, HistoryChange, InvalidValue, Inverse, InverseConflict, MergeMethod, MergeQueueRule, MergeWay,
    NotAllowable, OperatorName, Pause, PermitTerms, Phase, Position, ProbeRules, ProbeTarget, ProtectedPaths,
    PullRequestNumber, RULES_PATH, Reason, RecordedEvent, Refusal, RepoPath, Reporter, RepositoryName, Rules,
    RulesError, RunId, Stage, StageReport, StageResult, StreamId, SubGoalId, ToolCallId, ToolName, Wall, WallReport,
    WallState, error_chain, held_back_by, redact,
};
pub use selfext_github::{
    Budget, Delivery, InvalidAppId, InvalidAppKey, InvalidToken, InvalidWebhookSecret, WebhookReceiver, WebhookRefused,
    WebhookSecret,
};
pub use selfext_pipeline::{
    Ending, Finding as WatchFinding, Found, Observer, Outcome, PromoteError, PullRequestLink, Reconciled,
    RollbackEnding, RollbackOutcome, RollbackPlan, Silent, Step, Sweep, SweepError, Tick, WatchConfig, Watchdog,
};
pub use selfext_store::{DatabaseUrl, DatabaseUrlError, Migrated, SchemaState, StoreError};
pub use selfext_verifier::{GitSource, InvalidUrl, RemoteUrl};
