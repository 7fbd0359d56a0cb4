//! That a tree is the beginning of another.

use selfext_domain::Digest32;

use super::MerkleError;
use super::hash::{empty_root, node_hash};

/// Verifies that the tree of `first` leaves is the beginning of the tree of `second` leaves: RFC 9162, section 2.1.4.2. The
/// empty tree is the beginning of every tree.
///
/// # Errors
/// [`MerkleError`] if the proof does not show it.
pub fn verify_consistency(
    first: u64,
    first_root: Digest32,
    second: u64,
    second_root: Digest32,
    proof: &[Digest32],
) -> Result<(), MerkleError> {
    if first > second {
        return Err(MerkleError::OutOfRange { index: first, size: second });
    }
    let length = MerkleError::Length { found: proof.len() };
    let equal = |same: bool| if same { Ok(()) } else { Err(MerkleError::Root) };
    if first == second || first == 0 {
        let same = if first == second { first_root == second_root } else { first_root == empty_root() };
        return if proof.is_empty() { equal(same) } else { Err(length) };
    }
    // A first tree that is a perfect subtree of the second is not repeated in the proof.
    let (begin, rest) = if first.is_power_of_two() {
        (first_root, proof)
    } else {
        let (begin, rest) = proof.split_first().ok_or(length)?;
        (*begin, rest)
    };
    let shift = (first - 1).trailing_ones();
    let (mut at, mut last) = ((first - 1) >> shift, (second - 1) >> shift);
    let (mut old, mut new) = (begin, begin);
    for sibling in rest {
        if last == 0 {
            return Err(length);
        }
        if at & 1 == 1 || at == last {
            old = node_hash(*sibling, old);
            new = node_hash(*sibling, new);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(new, *sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(length);
    }
    equal(old == first_root && new == second_root)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::naive::{self, digest, leaves};
    use super::*;

    #[test]
    fn the_vectors_of_certificate_transparency_hold() {
        for (first, second, proof) in [
            (1, 1, vec![]),
            (
                1,
                8,
                vec![
                    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
                ],
            ),
            (
                6,
                8,
                vec![
                    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                ],
            ),
            (
                2,
                5,
                vec![
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                ],
            ),
        ] {
            let proof: Vec<_> = proof.into_iter().map(digest).collect();
            let root = |size: u64| digest(naive::VECTOR_ROOTS[usize::try_from(size).unwrap()]);
            let verified = verify_consistency(first, root(first), second, root(second), &proof);
            assert_eq!(verified, Ok(()), "{first} to {second}");
        }
    }

    #[test]
    fn the_empty_tree_begins_every_tree_and_no_tree_begins_a_smaller_one() {
        let (root, other) = (naive::root(&leaves(3)), naive::root(&leaves(2)));
        assert_eq!(verify_consistency(0, empty_root(), 3, root, &[]), Ok(()));
        assert_eq!(verify_consistency(0, empty_root(), 0, empty_root(), &[]), Ok(()));
        assert_eq!(verify_consistency(0, other, 3, root, &[]), Err(MerkleError::Root));
        assert_eq!(verify_consistency(0, empty_root(), 3, root, &[root]), Err(MerkleError::Length { found: 1 }));
        assert_eq!(verify_consistency(3, root, 3, other, &[]), Err(MerkleError::Root));
        assert_eq!(verify_consistency(3, root, 2, other, &[]), Err(MerkleError::OutOfRange { index: 3, size: 2 }));
        assert_eq!(verify_consistency(2, other, 3, root, &[]), Err(MerkleError::Length { found: 0 }));
    }

    proptest! {
        #[test]
        fn a_proof_verifies_and_a_changed_one_never_does(
            second in 2_u64..130, at in any::<prop::sample::Index>(), change in 0..5, spot in any::<prop::sample::Index>()
        ) {
            let leaves = leaves(second);
            let first = at.index(leaves.len() - 1) + 1;
            let mut proof = naive::proof(first, &leaves, true);
            let (mut old, mut new) = (naive::root(&leaves[..first]), naive::root(&leaves));
            let first = first as u64;
            prop_assert_eq!(verify_consistency(first, old, second, new, &proof), Ok(()));

            let other = digest(&"5a".repeat(32));
            match change {
                0 => old = other,
                1 => new = other,
                2 => proof.insert(spot.index(proof.len() + 1), other),
                3 if !proof.is_empty() => drop(proof.remove(spot.index(proof.len()))),
                4 if !proof.is_empty() => { let spot = spot.index(proof.len()); proof[spot] = other; }
                _ => return Ok(()),
            }
            prop_assert!(verify_consistency(first, old, second, new, &proof).is_err());
        }

        #[test]
        fn no_numbers_make_it_panic(first in any::<u64>(), second in any::<u64>(), hashes in 0_u64..70) {
            let _ = verify_consistency(first, empty_root(), second, empty_root(), &leaves(hashes));
        }
    }
}
