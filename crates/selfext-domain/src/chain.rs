//! The hash chain of a stream.
//!
//! `content_hash = SHA-256(content)`, over the exact bytes of the event as they are stored, and `hash =
//! SHA-256(prev_hash ‖ content_hash)`, where `prev_hash` is the hash of the event before it in its stream, or 32 zero bytes
//! for the first. The stream's name is part of the content, so an event cannot be moved to another stream either.

use sha2::{Digest as _, Sha256};

use crate::Digest32;

/// The link of one event: what it says, what came before it, and both together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The digest of the stored bytes.
    pub content_hash: Digest32,
    /// The hash of the event before; [`Link::GENESIS`] for the first of a stream.
    pub prev_hash: Digest32,
    /// `SHA-256(prev_hash ‖ content_hash)`.
    pub hash: Digest32,
}

impl Link {
    /// What the first event of every stream follows.
    pub const GENESIS: Digest32 = Digest32::from_bytes([0; 32]);

    /// The link of `content` behind an event with the hash `prev_hash`.
    #[must_use]
    pub fn new(prev_hash: Digest32, content: &[u8]) -> Self {
        Self::of_digests(prev_hash, Digest32::of(content))
    }

    /// The same where the content is hashed already.
    #[must_use]
    pub fn of_digests(prev_hash: Digest32, content_hash: Digest32) -> Self {
        let mut hash = Sha256::new();
        hash.update(prev_hash.as_bytes());
        hash.update(content_hash.as_bytes());
        Self { content_hash, prev_hash, hash: Digest32::from_bytes(hash.finalize().into()) }
    }
}

/// Where a stream ends, as its writer knows it: the next event is written behind exactly this, or not at all.
///
/// The hash stands for the whole stream, so a writer that knows other events than the ledger is refused, also where their
/// number is the same: after a database lost its last events, others may have taken their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// The number of the last event; 0 if there is none.
    pub sequence: u64,
    /// Its hash.
    pub hash: Digest32,
}

impl Tip {
    /// The end of a stream without events.
    pub const START: Self = Self { sequence: 0, hash: Link::GENESIS };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_vectors_hold() {
        // Also computed with `printf '{"a":1}' | sha256sum` and `xxd -r -p | sha256sum`.
        let first = Link::new(Link::GENESIS, br#"{"a":1}"#);
        assert_eq!(first.content_hash.to_string(), "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862");
        assert_eq!(first.hash.to_string(), "46426333c3717c14f84a3ad37f229fef9334f7298e19ea3cd9acae85e06268e4");
        let second = Link::new(first.hash, br#"{"a":1}"#);
        assert_eq!(second.content_hash, first.content_hash);
        assert_eq!(second.prev_hash, first.hash);
        assert_ne!(second.hash, first.hash);
    }
}
