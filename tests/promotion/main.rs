//! Whole promotions over the façade: a real repository behind the twin, a real ledger on Postgres and on SQLite.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod allowing;
mod base;
mod big_and_odd;
mod control;
mod crash;
mod database_faults;
mod failover;
mod gate;
mod health;
mod identity;
mod landing;
mod limits;
mod pausing;
mod permit_status;
mod prefixes;
mod protected_links;
mod queue;
mod round_trips;
mod secrets;
mod storm;
mod two_at_once;
mod verification;
mod waits;
mod waking;
mod world;
