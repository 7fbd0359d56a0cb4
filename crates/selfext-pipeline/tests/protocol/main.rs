//! The merge-permit protocol, explored state by state.
//!
//! The model is the protocol between the ledger (`ledger.rs`), the forge (`forge.rs`), the processes that promote, take over
//! and fence (`process.rs`, `promote.rs`, `fence.rs`), and what comes from outside: operators, people, the database's failover
//! (`operator.rs`). `safe.rs` says what holds within which bounds; `needed.rs` takes the rules away one by one, and each time
//! the checker finds what breaks; `naive.rs` and `lock.rs` are two tempting protocols that are unsafe.
//!
//! `SELFEXT_MODEL=long` explores larger bounds too; `SELFEXT_MODEL=traces` prints the steps to each breach.
//!
//! # What is left out
//!
//! - A ledger is the fold of its events; an event's id stands for its sequence and hash. Ids, commits and processes are renamed
//!   to one canonical form, so that the states are finitely many without a bound on claims, kills or requests.
//! - Reading the ledger, looking at the forge and appending are one step where the append names the tip that was read and what
//!   was seen stays so: recording a merge that was found landed, taking over, beginning a fence. A permit and its first request
//!   are one step too: a request that is sent later is one that arrives later.
//! - A process that would look before it asks again, asks without: the looks hold nothing back that the properties need.
//! - Publishing is one request for branch and pull request, or one for each; that the first may make another tree is left out.
//! - The forge answers reads with what is true now. A fence's own requests, and the clean-up's, take effect at once or never:
//!   late, they only take away. A close or a deletion that arrives late is an act of people here.
//! - Fence commits are not told apart, and a run has at most two pull requests.
//! - Nobody but selfext merges or pushes to main. The gate, rollbacks, `--allow-rollbacks`, health windows, and a pause that
//!   selfext makes itself are left out; so is a server that answers after it was replaced.
//! - A failover happens once. What is known only without one is checked only without one.

mod append;
mod arrive;
mod canonical;
mod check;
mod fence;
mod forge;
mod ledger;
mod lock;
mod model;
mod naive;
mod needed;
mod operator;
mod process;
mod promote;
mod rules;
mod safe;

/// A run's number.
type Run = u8;

/// The most runs and processes that any bounds may name.
const RUNS: usize = 2;
const PROCESSES: usize = 3;

/// The name of an event or a commit that was made in this step, until the state is in its canonical form.
const NEW: u8 = 63;
