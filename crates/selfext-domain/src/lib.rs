//! The pure rules of selfext: change sets, events, guards and ports.
//!
//! Nothing here does input or output, reads a clock or needs a runtime. What an agent wants to change is a [`ChangeSet`];
//! what happened to it is a stream of [`Event`]s, folded into a [`Run`]; whether it may go on is decided by the guards
//! ([`guard_pause`], [`guard_paths`], [`evaluate_gate`]); what the pipeline needs of the world are the [`ports`].

mod branch;
pub mod canonical;
mod chain;
mod change;
mod context;
mod control;
mod digest;
mod error_chain;
mod event;
mod evidence;
mod folded;
mod guard;
mod health;
mod ids;
mod invalid;
mod links;
mod login;
mod newtype;
mod path;
mod permit;
pub mod ports;
mod presentation;
mod repository;
mod rules;
mod run;
mod sha;
mod team;
mod trailer;
mod verification;

pub use branch::BranchName;
pub use chain::{Link, Tip};
pub use change::{ChangeSet, ChangeSetBuilder, ChangeSetError, FileChange, Fingerprint};
pub use context::ExecutionContext;
pub use control::{
    CONTROL_KEY, ControlState, History, HistoryChange, MalformedControl, Pause, StoredControl, malformed_examples,
};
pub use digest::Digest32;
pub use error_chain::error_chain;
pub use event::{
    ChangeAllowed, Disposition, Event, EventBody, EventError, Failed, FileAction, FileSummary, HealthWindowFailed,
    HealthWindowPassed, HistoryAccepted, JudgedContent, MergeFenced, MergeStarted, Position, Promoted,
    PromotionBlocked, PromotionPauseChanged, Proposed, Reason, RecordedEvent, Refusal, RollbackAcknowledged,
    RollbackFailed, RollbackStarted, RolledBack, RunAbandoned, Stage, Subject, Tested, UnknownEvent,
};
pub use evidence::{Keep, RedactedText, TextCap, code_block, inline, plain, redact};
pub use folded::folded;
pub use guard::{
    BranchRules, CheckRun, CommitStatus, ContextFinding, ContextVerdict, GateReading, GateVerdict, MergeQueue,
    PathGuardPermit, PausePermit, Review, ReviewState, ReviewVerdict, StatusState, approvers, check_limits,
    evaluate_gate, evaluate_reviews, guard_paths, guard_pause, held_back_by, merge_way, missing_teams,
    not_being_taken_back, queue_vouches,
};
pub use health::{HealthSample, HealthStanding, HealthTerms, HealthWindow, Heartbeat, Reporter, WindowVerdict};
pub use ids::{
    ActorSource, CorrelationId, CycleId, EventId, GoalId, OperatorName, PullRequestNumber, RunId, StreamId, SubGoalId,
    ToolCallId, ToolName,
};
pub use invalid::InvalidValue;
pub use links::BaseLinks;
pub use login::Login;
pub use path::RepoPath;
pub use permit::{MergePermit, PermitTerms};
pub use presentation::{
    commit_message, evidence_of, evidence_of_success, pull_request_body, pull_request_title, status_summary,
};
pub use repository::RepositoryName;
pub use rules::{
    BreakerRules, ChangeLimits, EVIDENCE_CONTEXT, GateRules, HealthRules, Isolation, MergeMethod, MergeQueueRule,
    MergeWay, OnBase, OutputRule, PERMIT_CONTEXT, Pin, ProbeRules, ProbeTarget, ProtectedPaths, RULES_PATH,
    RequiredContext, Rules, RulesError, StageKind, StageLimits, StageRules, VariablePattern,
};
pub use run::{Allowable, FoldError, IllegalEvent, NotAllowable, Phase, Run};
pub use sha::{CommitSha, TreeSha};
pub use team::TeamName;
pub use trailer::CommitMeta;
pub use verification::{
    Candidate, Category, EntryChange, Inverse, InverseConflict, Limit, Mechanism, Prepared, StageReport, StageResult,
    Wall, WallReport, WallState,
};
