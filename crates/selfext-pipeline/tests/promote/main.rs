//! The pipeline over mocks of the forge, the verifier and the clock, and a ledger in memory: no I/O.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod control;
mod gate;
mod held_back;
mod landed;
mod ledger;
mod merge;
mod queue;
mod resume;
mod rollback;
mod telling;
mod verification;
mod watchdog;
mod world;
