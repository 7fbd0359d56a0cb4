//! The guards: pure rules that answer with a permit or a refusal.

mod branch_rules;
mod gate;
mod limits;
mod merge_way;
mod paths;
mod pause;
mod reviews;
mod watched;

pub use branch_rules::{BranchRules, MergeQueue};
pub use gate::{
    CheckRun, CommitStatus, ContextFinding, ContextVerdict, GateReading, GateVerdict, StatusState, evaluate_gate,
};
pub use limits::check_limits;
pub use merge_way::{merge_way, queue_vouches};
pub use paths::{PathGuardPermit, guard_paths};
pub use pause::{PausePermit, guard_pause};
pub use reviews::{Review, ReviewState, ReviewVerdict, approvers, evaluate_reviews, missing_teams};
pub use watched::{held_back_by, not_being_taken_back};
