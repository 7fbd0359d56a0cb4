//! What an auditor of selfext's ledger verifies without trusting its database.
//!
//! The database chains each event to the one before it in its stream, but whoever holds the database can compute those hashes
//! again. So the ledger is *sealed*: from time to time somebody signs a [`Checkpoint`](checkpoint::Checkpoint), which is how many
//! events there are and the root of the [Merkle tree](merkle) over their chain hashes, and keeps it elsewhere. After that
//!
//! - an [`Auditor`](audit::Auditor) finds whatever was edited, dropped, moved or added in the whole ledger, in one pass;
//! - a [`RunProof`](proof::RunProof) shows the events of one run to somebody who has nothing but the public key;
//! - a [`ConsistencyProof`](proof::ConsistencyProof) shows that the ledger only grew between two checkpoints;
//! - an [`ExportWriter`](export::ExportWriter) takes the ledger to where it can be audited without its database.
//!
//! The formats are those of transparency logs (RFC 6962 and RFC 9162, and the signed notes, checkpoints and cosignatures of
//! <https://c2sp.org>), so that witnesses which others run can cosign a ledger's checkpoints.
//!
//! Nothing here does input or output beyond the readers and writers that it is given, reads a clock or needs a runtime. Secrets
//! and random numbers come from the caller. No input makes it panic.

pub mod audit;
pub mod checkpoint;
pub mod export;
mod leaf;
pub mod merkle;
pub mod note;
pub mod proof;
#[cfg(test)]
mod sample;

pub use leaf::event_leaf;
