//! Proofs, collected while the leaves of a tree stream by.

use std::collections::HashMap;

use selfext_domain::Digest32;

use super::TreeFrontier;
use super::frontier::root_of;
use super::node::{Node, consistency_ranges, inclusion_ranges, nodes_of};

/// Collects inclusion and consistency proofs of a tree of a known size in one pass over its leaf hashes.
///
/// It keeps the tree's frontier and the hashes of the proofs that were asked for, no more. A leaf's proof is asked for before
/// the leaf itself is pushed, which may be right before, so that whoever looks for leaves finds them in the same pass.
#[derive(Clone, Debug)]
pub struct ProofCollector {
    size: u64,
    frontier: TreeFrontier,
    wanted: HashMap<Node, Option<Digest32>>,
}

/// Why a proof cannot be collected, or is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CollectError {
    /// The leaf, or the first tree, is not in the tree.
    #[error("{index} is outside of a tree of {size} leaves")]
    OutOfRange {
        /// The leaf, or the size of the first tree.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// What it needs was pushed before it was asked for.
    #[error("the proof was asked for when {pushed} leaves had passed, which is too late")]
    TooLate {
        /// How many leaves had been pushed.
        pushed: u64,
    },
    /// It was never asked for, or leaves are still to come.
    #[error("the proof was not asked for, or only {pushed} of {size} leaves were pushed")]
    Incomplete {
        /// How many leaves were pushed.
        pushed: u64,
        /// The size of the tree.
        size: u64,
    },
}

impl ProofCollector {
    /// A collector for the tree of `size` leaves.
    #[must_use]
    pub fn new(size: u64) -> Self {
        Self { size, frontier: TreeFrontier::new(), wanted: HashMap::new() }
    }

    /// How many leaves have been pushed: the index of the next one.
    #[must_use]
    pub const fn pushed(&self) -> u64 {
        self.frontier.size()
    }

    /// Asks for the inclusion proof of a leaf that is not pushed yet.
    ///
    /// # Errors
    /// [`CollectError::OutOfRange`], or [`CollectError::TooLate`] if the leaf has passed.
    pub fn want_inclusion(&mut self, index: u64) -> Result<(), CollectError> {
        self.check_range(index, index < self.size)?;
        if index < self.pushed() {
            return Err(CollectError::TooLate { pushed: self.pushed() });
        }
        self.want(inclusion_ranges(index, self.size).into_iter().flat_map(nodes_of))
    }

    /// Asks for the proof that the tree of the first `first` leaves is the beginning of this one. Best asked for before the
    /// first leaf.
    ///
    /// # Errors
    /// [`CollectError::OutOfRange`], or [`CollectError::TooLate`] if what it needs has passed.
    pub fn want_consistency(&mut self, first: u64) -> Result<(), CollectError> {
        self.check_range(first, first <= self.size)?;
        self.want(consistency_ranges(first, self.size).into_iter().flat_map(nodes_of))
    }

    fn check_range(&self, index: u64, inside: bool) -> Result<(), CollectError> {
        if inside { Ok(()) } else { Err(CollectError::OutOfRange { index, size: self.size }) }
    }

    fn want(&mut self, nodes: impl Iterator<Item = Node>) -> Result<(), CollectError> {
        let pushed = self.pushed();
        for node in nodes {
            if self.wanted.contains_key(&node) {
                continue;
            }
            let hash = self.frontier.peak(node);
            if hash.is_none() && node.end() <= pushed {
                return Err(CollectError::TooLate { pushed });
            }
            self.wanted.insert(node, hash);
        }
        Ok(())
    }

    /// Takes the next leaf, by its leaf hash. Leaves behind the tree's size are ignored, so that a reader may go on.
    pub fn push(&mut self, leaf: Digest32) {
        if self.pushed() < self.size {
            let wanted = &mut self.wanted;
            self.frontier.push_seen(leaf, |node, hash| {
                if let Some(wanted) = wanted.get_mut(&node) {
                    *wanted = Some(hash);
                }
            });
        }
    }

    /// The root of the tree, as soon as all of its leaves have been pushed.
    #[must_use]
    pub fn root(&self) -> Option<Digest32> {
        (self.pushed() == self.size).then(|| self.frontier.root())
    }

    /// The inclusion proof of a leaf.
    ///
    /// # Errors
    /// [`CollectError::Incomplete`] if it was not asked for or leaves are missing.
    pub fn inclusion(&self, index: u64) -> Result<Vec<Digest32>, CollectError> {
        self.check_range(index, index < self.size)?;
        self.collected(inclusion_ranges(index, self.size))
    }

    /// The consistency proof from a tree of `first` leaves.
    ///
    /// # Errors
    /// [`CollectError::Incomplete`] if it was not asked for or leaves are missing.
    pub fn consistency(&self, first: u64) -> Result<Vec<Digest32>, CollectError> {
        self.check_range(first, first <= self.size)?;
        self.collected(consistency_ranges(first, self.size))
    }

    fn collected(&self, ranges: Vec<std::ops::Range<u64>>) -> Result<Vec<Digest32>, CollectError> {
        let incomplete = CollectError::Incomplete { pushed: self.pushed(), size: self.size };
        if self.pushed() < self.size {
            return Err(incomplete);
        }
        let hash = |node: Node| self.wanted.get(&node).copied().flatten().ok_or(incomplete);
        ranges
            .into_iter()
            .map(|range| {
                let hashes: Vec<_> = nodes_of(range).into_iter().map(hash).collect::<Result<_, _>>()?;
                Ok(root_of(hashes.into_iter()))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::naive::{self, leaves};
    use super::*;

    #[test]
    fn what_was_not_asked_for_in_time_is_not_there() {
        let mut collector = ProofCollector::new(5);
        assert_eq!(collector.want_inclusion(5), Err(CollectError::OutOfRange { index: 5, size: 5 }));
        assert_eq!(collector.want_consistency(6), Err(CollectError::OutOfRange { index: 6, size: 5 }));
        collector.want_inclusion(0).unwrap();
        let leaves = leaves(6);
        for leaf in &leaves[..4] {
            collector.push(*leaf);
        }
        let incomplete = |pushed| CollectError::Incomplete { pushed, size: 5 };
        assert_eq!((collector.root(), collector.inclusion(0)), (None, Err(incomplete(4))));
        assert_eq!(collector.want_inclusion(2), Err(CollectError::TooLate { pushed: 4 }));
        assert_eq!(collector.want_consistency(3), Err(CollectError::TooLate { pushed: 4 }));
        for leaf in &leaves[4..] {
            collector.push(*leaf);
        }
        assert_eq!(collector.pushed(), 5);
        assert_eq!(collector.root(), Some(naive::root(&leaves[..5])));
        assert_eq!(collector.inclusion(0), Ok(naive::path(0, &leaves[..5])));
        assert_eq!(collector.inclusion(1), Err(incomplete(5)));
    }

    proptest! {
        #[test]
        fn the_collected_proofs_are_those_of_the_definition(
            size in 1_usize..100, wanted in prop::collection::vec(any::<prop::sample::Index>(), 0..5), first in 0_usize..100
        ) {
            let leaves = leaves(size as u64);
            let wanted: Vec<usize> = wanted.into_iter().map(|index| index.index(size)).collect();
            let mut collector = ProofCollector::new(size as u64);
            if first <= size {
                collector.want_consistency(first as u64).unwrap();
            }
            for (at, leaf) in leaves.iter().enumerate() {
                if wanted.contains(&at) {
                    collector.want_inclusion(at as u64).unwrap();
                }
                collector.push(*leaf);
            }
            for index in wanted {
                prop_assert_eq!(collector.inclusion(index as u64), Ok(naive::path(index, &leaves)));
            }
            if first == 0 {
                prop_assert_eq!(collector.consistency(0), Ok(vec![]));
            } else if first <= size {
                prop_assert_eq!(collector.consistency(first as u64), Ok(naive::proof(first, &leaves, true)));
            }
        }
    }
}
