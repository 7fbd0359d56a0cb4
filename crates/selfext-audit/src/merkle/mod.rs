//! The Merkle tree of RFC 6962 over the events of a ledger, in the order of their positions.

mod collector;
mod consistency;
mod frontier;
mod hash;
mod inclusion;
#[cfg(test)]
mod naive;
mod node;

pub use collector::{CollectError, ProofCollector};
pub use consistency::verify_consistency;
pub use frontier::{FrontierError, TreeFrontier};
pub use hash::{empty_root, leaf_hash, node_hash};
pub use inclusion::verify_inclusion;

/// A proof does not show what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MerkleError {
    /// The leaf is not in a tree of that size, or the first tree is larger than the second.
    #[error("{index} is outside of a tree of {size} leaves")]
    OutOfRange {
        /// The leaf, or the size of the first tree.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The proof has too many or too few hashes for these sizes.
    #[error("the proof has {found} hashes, which is not what these sizes need")]
    Length {
        /// How many it has.
        found: usize,
    },
    /// The hashes lead to another root.
    #[error("the proof leads to another root")]
    Root,
}
