//! The audit of a whole ledger, row by row and in bounded memory.
//!
//! An [`Auditor`] is fed the rows of a ledger in the order of their positions, from a database or from an
//! [export](crate::export), and the checkpoints that seal it. It believes nothing of what it is told:
//!
//! - every hash is computed anew from the exact bytes, and each event must be chained to the one before it in its stream,
//!   under the next number;
//! - the bytes must be canonical, and what the database derived from them must be what they say;
//! - every run must be a legal one, by the same fold that decides what may be written ([`Run`](selfext_domain::Run)); nothing
//!   follows an event that ended its run;
//! - every checkpoint must be signed by a known key, and the events up to its size must have its root.
//!
//! What is wrong is a [`Finding`]. What the kinds mean, and what tells them apart:
//!
//! | kind | what the data shows |
//! | --- | --- |
//! | [`Edited`](FindingKind::Edited) | a row is not what was written: its bytes, hashes, number or derived columns contradict each other, or the row beside it |
//! | [`Missing`](FindingKind::Missing) | rows are gone: a number is left out and the row behind names a hash that no row has, or fewer events stand before a sealed position than were sealed |
//! | [`Reordered`](FindingKind::Reordered) | a row stands behind one that was written after it |
//! | [`Forged`](FindingKind::Forged) | all hashes fit, but the events are not those that were sealed, or no writer of selfext's would have written them |
//! | [`CutOff`](FindingKind::CutOff) | the ledger ends before its last seal |
//!
//! # What it cannot see
//!
//! - What stands behind the last checkpoint is bound by hashes that whoever holds the database can compute: a stream's last
//!   events, and whole runs, can be taken out there, or written anew as long as they stay legal. Seal often, and keep
//!   checkpoints away from the database ([`Auditor::anchor`]).
//! - The database's times, the name of who wrote a row, and its number of the transaction are in no hash. They are not judged,
//!   save for the position of the last event of a seal.
//! - That no two events have one id: it would have to remember all of them. The database's constraint holds that, and a repeated
//!   event of one stream is found by its number.
//! - The derived column `payload` is not compared: databases spell JSON in their own ways.
//! - The stage reports inside `tested` and `failed` are bytes that are hashed; whether they make sense is not judged.
//! - A run that holds an event of a later version is not judged by the fold, and is counted.
//!
//! # Memory
//!
//! An open run is kept as the fold has it, a few kilobytes. Of a run that is no longer open 48 bytes are kept, in a B-tree, which
//! comes to about 75 with what the tree itself needs: the first half of the SHA-256 of its id, its last number, its phase, half
//! of its last hash, and 56 bits of its subject's. Two ids with the same 128 bits cannot be found; half of a hash is as much as
//! a later event can be checked against and as little as cannot be met by trying. Two million runs take about 150 MB.

mod auditor;
mod closed;
mod columns;
mod finding;
mod gaps;
mod link;
mod read;
mod report;
mod row;
mod seals;
mod streams;
#[cfg(test)]
mod tests;

pub use auditor::Auditor;
pub use finding::{About, Finding, FindingKind, Place};
pub use report::{Counts, Report};
pub use row::StoredRow;
