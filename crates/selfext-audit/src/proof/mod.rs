//! Proofs that need neither the ledger nor its database: a document and a public key are enough.
//!
//! Both documents are JSON. Hashes are 64 lower-case hexadecimal digits; a `checkpoint` is the whole signed note as text.
//!
//! ```text
//! { "format": "selfext-run-proof/1",
//!   "run": "<run id>",
//!   "checkpoint": "<signed note>",
//!   "events": [ { "sequence": 1, "leaf": 17, "content": "<the exact bytes>", "path": ["<hash>", …] }, … ] }
//!
//! { "format": "selfext-consistency-proof/1",
//!   "first": "<signed note>", "second": "<signed note>", "path": ["<hash>", …] }
//! ```
//!
//! `leaf` counts the ledger's events in the order of their positions, from 0; `path` is the inclusion proof of RFC 9162 in the
//! tree of the checkpoint, or the consistency proof between the two. The hashes of the chain are not in the document: whoever
//! verifies it computes them.

mod builder;
mod consistency;
mod run;
#[cfg(test)]
mod tests;

pub use builder::{BuildError, RunProofBuilder};
pub use consistency::ConsistencyProof;
pub use run::{ProvedEvent, RunProof, VerifiedRun, verify};

use selfext_domain::{EventError, FoldError, InvalidValue};

use crate::checkpoint::CheckpointError;
use crate::merkle::MerkleError;

/// The longest document that is read, in bytes.
const MAX_DOCUMENT: usize = 256 << 20;

/// Why a proof proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// It is longer than 256 MiB.
    #[error("the proof is longer than 256 MiB")]
    TooLong,
    /// It is not of the documented form.
    #[error("the proof is not of the documented form")]
    Malformed(#[from] serde_json::Error),
    /// It is of a format that this version does not read.
    #[error("the proof is of the format {0:?}, which this version does not read")]
    Format(String),
    /// Its checkpoint cannot be trusted.
    #[error("the checkpoint of the proof cannot be trusted")]
    Checkpoint(#[from] CheckpointError),
    /// Its two checkpoints are of different ledgers.
    #[error("the two checkpoints are of different ledgers")]
    OtherLedger,
    /// The second checkpoint is not a continuation of the first.
    #[error("the proof does not show that the second checkpoint continues the first")]
    Inconsistent(#[source] MerkleError),
    /// The run's id is none.
    #[error("the proof names no run")]
    Run(#[from] InvalidValue),
    /// It holds no events.
    #[error("the proof holds no events")]
    Empty,
    /// The numbers of the events are not 1, 2, 3 and so on, or their leaves are not in that order.
    #[error("event number {sequence} of the proof stands where number {expected} belongs, or its leaf is out of order")]
    OutOfOrder {
        /// The number that belongs there.
        expected: u64,
        /// The number it has.
        sequence: u64,
    },
    /// An event's bytes are no event.
    #[error("the content of event number {sequence} is not that of an event")]
    Content {
        /// Its number.
        sequence: u64,
        /// Why.
        #[source]
        source: EventError,
    },
    /// An event is not a legal part of the run.
    #[error("event number {sequence} is not a legal part of the run")]
    Illegal {
        /// Its number.
        sequence: u64,
        /// Why.
        #[source]
        source: FoldError,
    },
    /// An event is not in what was sealed, or not behind the events before it.
    #[error("event number {sequence} is not what was sealed")]
    NotSealed {
        /// Its number.
        sequence: u64,
        /// How the proof fails.
        #[source]
        source: MerkleError,
    },
}

/// Checks what is told of a document before the rest of it is believed.
fn check_format(text: &str, expected: &str) -> Result<(), ProofError> {
    #[derive(serde::Deserialize)]
    struct Format {
        format: String,
    }
    if text.len() > MAX_DOCUMENT {
        return Err(ProofError::TooLong);
    }
    let Format { format } = serde_json::from_str(text)?;
    if format == expected { Ok(()) } else { Err(ProofError::Format(format)) }
}
