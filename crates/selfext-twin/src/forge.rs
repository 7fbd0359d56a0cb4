//! What GitHub does with pull requests, apart from HTTP.

mod gate;
mod mergeability;
mod merging;
mod new_head;
mod queue;
mod queue_commit;
mod refs;
mod requested_merge;
mod settle;

pub(crate) use gate::{Verdict, forbids_move, verdict};
pub(crate) use mergeability::Mergeability;
pub(crate) use merging::{MergeRefusal, MergeRequest};
pub(crate) use queue::EnqueueRefusal;
pub(crate) use settle::Scope;
