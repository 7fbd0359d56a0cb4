//! Sealing, auditing, exporting and proving real ledgers, and what an audit finds once their owner has tampered with them.
#![expect(clippy::unwrap_used, reason = "everything here is a test")]

mod ground;
mod proofs;
mod sealing;
mod tampering;
