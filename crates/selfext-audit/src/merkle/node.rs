//! The perfect subtrees of which every hash in a proof is made.

use std::ops::Range;

/// A perfect subtree: `2^level` leaves, the `index`-th of its kind from the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Node {
    pub level: u32,
    pub index: u64,
}

impl Node {
    /// The leaf behind its last.
    pub fn end(self) -> u64 {
        (self.index + 1) << self.level
    }
}

/// The perfect subtrees of a range of leaves, left to right. The ranges in proofs begin where the largest of them may stand,
/// so each is found from its left end.
pub(super) fn nodes_of(range: Range<u64>) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut start = range.start;
    while start < range.end {
        let level = (range.end - start).ilog2().min(start.trailing_zeros());
        nodes.push(Node { level, index: start >> level });
        start += 1 << level;
    }
    nodes
}

/// The largest power of two that is smaller than `size`, for sizes of at least 2.
pub(super) fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// What an inclusion proof of a leaf holds, from the leaf to the root: `PATH` of RFC 6962, as ranges of leaves.
pub(super) fn inclusion_ranges(index: u64, size: u64) -> Vec<Range<u64>> {
    let (mut start, mut end) = (0, size);
    let mut ranges = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            ranges.push(middle..end);
            end = middle;
        } else {
            ranges.push(start..middle);
            start = middle;
        }
    }
    ranges.reverse();
    ranges
}

/// What a consistency proof holds: `PROOF` of RFC 6962, as ranges of leaves. Nothing for an empty first tree.
pub(super) fn consistency_ranges(first: u64, second: u64) -> Vec<Range<u64>> {
    let (mut start, mut end) = (0, second);
    let mut ranges = Vec::new();
    if first == 0 {
        return ranges;
    }
    while first < end {
        let middle = start + split(end - start);
        if first <= middle {
            ranges.push(middle..end);
            end = middle;
        } else {
            ranges.push(start..middle);
            start = middle;
        }
    }
    // What is left is the right end of the first tree; if that is all of it, the verifier has its root already.
    if start > 0 {
        ranges.push(start..end);
    }
    ranges.reverse();
    ranges
}
