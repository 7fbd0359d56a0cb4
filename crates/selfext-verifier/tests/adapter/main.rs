//! What this adapter promises beyond the contract of the port.
#![expect(clippy::unwrap_used, reason = "everything here is a test")]

mod borrowing;
mod cache;
mod depths;
mod isolation;
mod place;
mod prepared;
mod reversals;
mod sizes;
mod sources;
mod surroundings;
mod token;
