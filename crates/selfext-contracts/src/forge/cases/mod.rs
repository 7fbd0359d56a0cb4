//! The cases, one file a part of the contract. The names say what is protected; the macro lists them.
#![expect(clippy::unwrap_used, reason = "a case is a test")]

pub mod background_merges;
pub mod cost;
pub mod creators;
pub mod failures;
pub mod fencing;
pub mod merge_answers;
pub mod merge_queue;
pub mod merging;
pub mod publishing;
pub mod publishing_at_once;
pub mod pull_requests;
pub mod retiring;
pub mod rules;
pub mod sizes;
pub mod surveying;
