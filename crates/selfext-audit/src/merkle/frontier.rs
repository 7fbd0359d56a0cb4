//! The right edge of a tree: all that is needed to let it grow.

use std::fmt;
use std::str::FromStr;

use selfext_domain::Digest32;

use super::hash::{empty_root, node_hash};
use super::node::Node;

/// The roots of a tree's perfect subtrees, the largest first: at most 63 hashes, whatever its size.
///
/// As text it is some lines, each ended by a newline: `selfext-frontier/1`, the size in decimal, and the hashes in lower-case
/// hexadecimal, so that sealing goes on where the last seal stopped without reading what was sealed before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TreeFrontier {
    size: u64,
    peaks: Vec<Digest32>,
}

/// Why a text is no frontier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrontierError {
    /// It is not of the documented form.
    #[error("line {line} of the frontier is not of the documented form")]
    Malformed {
        /// The line, from 1.
        line: usize,
    },
    /// A tree of that size has another number of perfect subtrees.
    #[error("a tree of {size} leaves has not {found} perfect subtrees")]
    Count {
        /// The size.
        size: u64,
        /// The number of hashes.
        found: usize,
    },
}

impl TreeFrontier {
    const FORMAT: &'static str = "selfext-frontier/1";

    /// The largest size that is read: no ledger comes near it, and what is added to it does not overflow.
    const MAX_SIZE: u64 = 1 << 62;

    /// The frontier of a tree without leaves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many leaves the tree has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf, by its leaf hash.
    pub fn push(&mut self, leaf: Digest32) {
        self.push_seen(leaf, |_, _| {});
    }

    /// Adds a leaf and shows every perfect subtree that it completes.
    pub(super) fn push_seen(&mut self, leaf: Digest32, mut seen: impl FnMut(Node, Digest32)) {
        let mut node = Node { level: 0, index: self.size };
        let mut hash = leaf;
        seen(node, hash);
        while node.index & 1 == 1
            && let Some(left) = self.peaks.pop()
        {
            hash = node_hash(left, hash);
            node = Node { level: node.level + 1, index: node.index >> 1 };
            seen(node, hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Digest32 {
        root_of(self.peaks.iter().copied())
    }

    /// The root of a perfect subtree, if it is one of the largest: it stands beside the right edge.
    pub(super) fn peak(&self, wanted: Node) -> Option<Digest32> {
        let mut start = 0;
        for peak in &self.peaks {
            let level = (self.size - start).ilog2();
            if wanted == (Node { level, index: start >> level }) {
                return Some(*peak);
            }
            start += 1 << level;
        }
        None
    }
}

/// The root over perfect subtrees, given left to right, the largest first.
pub(super) fn root_of(peaks: impl DoubleEndedIterator<Item = Digest32>) -> Digest32 {
    peaks.rev().reduce(|right, left| node_hash(left, right)).unwrap_or_else(empty_root)
}

impl fmt::Display for TreeFrontier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}", Self::FORMAT, self.size)?;
        self.peaks.iter().try_for_each(|peak| writeln!(f, "{peak}"))
    }
}

impl FromStr for TreeFrontier {
    type Err = FrontierError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = |line| FrontierError::Malformed { line };
        let mut lines = text.strip_suffix('\n').ok_or(malformed(1))?.split('\n');
        if lines.next() != Some(Self::FORMAT) {
            return Err(malformed(1));
        }
        let size = lines.next().unwrap_or_default();
        let size = size.parse().ok().filter(|number: &u64| *number <= Self::MAX_SIZE && number.to_string() == size);
        let size = size.ok_or(malformed(2))?;
        let mut peaks = Vec::new();
        for (at, line) in lines.enumerate().take(64) {
            let peak = Digest32::try_from(line.to_owned()).ok().filter(|peak| peak.to_string() == line);
            peaks.push(peak.ok_or(malformed(at + 3))?);
        }
        if u64::from(size.count_ones()) != peaks.len() as u64 {
            return Err(FrontierError::Count { size, found: peaks.len() });
        }
        Ok(Self { size, peaks })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::naive::{self, leaves};
    use super::*;

    #[test]
    fn the_vectors_of_certificate_transparency_hold() {
        let mut tree = TreeFrontier::new();
        assert_eq!(tree.root().to_string(), naive::VECTOR_ROOTS[0]);
        for (leaf, root) in naive::vector_leaves().into_iter().zip(&naive::VECTOR_ROOTS[1..]) {
            tree.push(leaf);
            assert_eq!(tree.root().to_string(), *root);
        }
    }

    #[test]
    fn a_text_of_another_form_is_refused() {
        let mut tree = TreeFrontier::new();
        for leaf in leaves(3) {
            tree.push(leaf);
        }
        let good = tree.to_string();
        assert_eq!(good.parse::<TreeFrontier>().unwrap(), tree);
        let hash = good.lines().last().unwrap();
        for bad in [
            String::new(),
            good.trim_end().to_owned(),
            format!("{good}\n"),
            good.replace("/1", "/2"),
            good.replace("\n3\n", "\n03\n"),
            good.replace("\n3\n", "\n4\n"),
            good.replace("\n3\n", "\n18446744073709551615\n"),
            format!("{good}{hash}\n"),
            good.replace(hash, &hash.to_uppercase()),
            good.replace(hash, &hash[2..]),
        ] {
            assert!(bad.parse::<TreeFrontier>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn the_root_is_the_root_and_growing_goes_on_from_the_text(size in 0_u64..200, more in 0_u64..60) {
            let all = leaves(size + more);
            let (first, rest) = all.split_at(usize::try_from(size).unwrap());
            let mut tree = TreeFrontier::new();
            for leaf in first {
                tree.push(*leaf);
            }
            prop_assert_eq!((tree.size(), tree.root()), (size, naive::root(first)));
            let mut tree: TreeFrontier = tree.to_string().parse().unwrap();
            for leaf in rest {
                tree.push(*leaf);
            }
            prop_assert_eq!((tree.size(), tree.root()), (size + more, naive::root(&all)));
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), size in any::<u64>()) {
            let _ = text.parse::<TreeFrontier>();
            let _ = format!("selfext-frontier/1\n{size}\n{text}").parse::<TreeFrontier>();
        }
    }
}
