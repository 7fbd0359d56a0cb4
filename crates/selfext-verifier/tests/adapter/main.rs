//! What this adapter promises beyond the contract of the port.
#![expect(clippy::unwrap_used, reason = "everything here is a test")]

mod cache;
mod isolation;
mod place;
mod prepared;
mod sources;
mod surroundings;
mod token;
