//! Which bytes of an event are sealed.

use selfext_domain::Digest32;

use crate::merkle::leaf_hash;

/// The leaf hash of an event: its 32-byte chain hash is the leaf.
///
/// The chain hash binds the event's exact bytes and all events before it in its stream, so the tree over these leaves binds
/// every stream as a whole, and the leaves of a tree of millions are cheap to read again.
#[must_use]
pub fn event_leaf(hash: Digest32) -> Digest32 {
    leaf_hash(hash.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leaf_is_the_chain_hash_behind_a_zero_byte() {
        let hash = Digest32::of(b"x");
        let bytes: Vec<u8> = [0].into_iter().chain(*hash.as_bytes()).collect();
        assert_eq!(event_leaf(hash), Digest32::of(&bytes));
    }
}
