//! The cases, one file a part of the contract. The names say what is protected; the macro lists them.
#![expect(clippy::unwrap_used, reason = "a case is a test")]

pub mod appending;
pub mod archive;
pub mod batches;
pub mod concurrency;
pub mod following;
pub mod guarding;
pub mod heartbeats;
pub mod leases;
pub mod merging;
pub mod proposing;
pub mod queries;
pub mod reading;
pub mod remembering;
pub mod standing;
pub mod waiting;
pub mod waits;
