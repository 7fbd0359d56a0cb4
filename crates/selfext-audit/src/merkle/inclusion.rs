//! That a leaf is in a tree.

use selfext_domain::Digest32;

use super::MerkleError;
use super::hash::node_hash;

/// Verifies that the leaf with this leaf hash is number `index`, from 0, in the tree of `size` leaves with this root: RFC 9162,
/// section 2.1.3.2.
///
/// # Errors
/// [`MerkleError`] if the proof does not show it.
pub fn verify_inclusion(
    leaf: Digest32,
    index: u64,
    size: u64,
    proof: &[Digest32],
    root: Digest32,
) -> Result<(), MerkleError> {
    if index >= size {
        return Err(MerkleError::OutOfRange { index, size });
    }
    let length = MerkleError::Length { found: proof.len() };
    let (mut at, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in proof {
        if last == 0 {
            return Err(length);
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(*sibling, hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(hash, *sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(length);
    }
    if hash == root { Ok(()) } else { Err(MerkleError::Root) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::naive::{self, digest, leaves};
    use super::*;

    #[test]
    fn the_vectors_of_certificate_transparency_hold() {
        let leaves = naive::vector_leaves();
        for (index, size, proof) in [
            (0, 1, vec![]),
            (
                0,
                8,
                vec![
                    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
                ],
            ),
            (
                5,
                8,
                vec![
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                ],
            ),
            (2, 3, vec!["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
            (
                1,
                5,
                vec![
                    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                ],
            ),
        ] {
            let proof: Vec<_> = proof.into_iter().map(digest).collect();
            let root = digest(naive::VECTOR_ROOTS[usize::try_from(size).unwrap()]);
            let leaf = leaves[usize::try_from(index).unwrap()];
            assert_eq!(verify_inclusion(leaf, index, size, &proof, root), Ok(()), "{index} of {size}");
        }
    }

    proptest! {
        #[test]
        fn a_proof_verifies_and_a_changed_one_never_does(
            size in 1_u64..130, at in any::<prop::sample::Index>(), change in 0..7, spot in any::<prop::sample::Index>()
        ) {
            let leaves = leaves(size);
            let index = at.index(leaves.len());
            let (proof, root, leaf) = (naive::path(index, &leaves), naive::root(&leaves), leaves[index]);
            let index = index as u64;
            prop_assert_eq!(verify_inclusion(leaf, index, size, &proof, root), Ok(()));

            let (mut leaf, mut index, mut size, mut proof, mut root) = (leaf, index, size, proof, root);
            let other = naive::digest(&"5a".repeat(32));
            match change {
                0 => leaf = other,
                1 => index ^= 1 << spot.index(8),
                2 => root = other,
                3 => proof.insert(spot.index(proof.len() + 1), other),
                4 if !proof.is_empty() => drop(proof.remove(spot.index(proof.len()))),
                5 if !proof.is_empty() => { let spot = spot.index(proof.len()); proof[spot] = other; }
                // A size with as many levels and the same turns is proved as well: only the root tells sizes apart.
                6 => size = if spot.index(2) == 0 { index } else { size * 2 },
                _ => return Ok(()),
            }
            prop_assert!(verify_inclusion(leaf, index, size, &proof, root).is_err());
        }

        #[test]
        fn no_numbers_make_it_panic(index in any::<u64>(), size in any::<u64>(), hashes in 0_u64..70) {
            let proof = leaves(hashes);
            let _ = verify_inclusion(proof.first().copied().unwrap_or(naive::root(&[])), index, size, &proof, naive::root(&[]));
        }
    }
}
