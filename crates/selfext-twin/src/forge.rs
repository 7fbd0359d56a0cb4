//! What GitHub does with pull requests, apart from HTTP.

mod gate;
mod mergeability;
mod merging;
mod new_head;
mod refs;
mod settle;

pub(crate) use gate::forbids_move;
pub(crate) use mergeability::Mergeability;
pub(crate) use merging::{MergeMethod, MergeRefusal, MergeRequest};
pub(crate) use settle::Scope;
