//! A change in portions that GitHub takes: each is one request for a tree, on top of the tree that the one before made.
//!
//! GitHub answers requests for large trees with 422 or 502 and names no limit, so these stay well below of what is known to pass.

use crate::wire::{NewTreeEntry, TreeSource};

/// The most entries of one request.
const MAX_ENTRIES: usize = 500;

/// The most text inside one request, in bytes. No file whose text travels so has more.
const MAX_TEXT: usize = 1024 * 1024;

/// The entries in their order, in as few portions as the limits allow.
pub(super) fn of(entries: Vec<NewTreeEntry<'_>>) -> Vec<Vec<NewTreeEntry<'_>>> {
    let mut portions: Vec<Vec<NewTreeEntry<'_>>> = Vec::new();
    let mut text = 0;
    for entry in entries {
        let length = match entry.source {
            TreeSource::Content(content) => content.len(),
            TreeSource::Blob(_) => 0,
        };
        match portions.last_mut() {
            Some(portion) if portion.len() < MAX_ENTRIES && text + length <= MAX_TEXT => {
                text += length;
                portion.push(entry);
            }
            _ => {
                text = length;
                portions.push(vec![entry]);
            }
        }
    }
    portions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(count: usize, content: &str) -> Vec<NewTreeEntry<'_>> {
        let entry = || NewTreeEntry { path: "a", mode: "100644", kind: "blob", source: TreeSource::Content(content) };
        std::iter::repeat_with(entry).take(count).collect()
    }

    fn lengths(entries: Vec<NewTreeEntry<'_>>) -> Vec<usize> {
        of(entries).iter().map(Vec::len).collect()
    }

    #[test]
    fn a_portion_ends_at_its_entries_and_at_its_text_both_inclusive() {
        assert_eq!(lengths(Vec::new()), [0; 0]);
        assert_eq!(lengths(entries(1, "x")), [1]);
        assert_eq!(lengths(entries(500, "x")), [500]);
        assert_eq!(lengths(entries(1001, "x")), [500, 500, 1]);
        let sixteenth = "x".repeat(MAX_TEXT / 16);
        assert_eq!(lengths(entries(16, &sixteenth)), [16]);
        assert_eq!(lengths(entries(40, &sixteenth)), [16, 16, 8]);
    }

    #[test]
    fn what_travels_elsewhere_has_no_text() {
        let whole = "x".repeat(MAX_TEXT);
        let mut mixed = entries(1, &whole);
        mixed.extend(entries(3, "").into_iter().map(|entry| NewTreeEntry { source: TreeSource::Blob(None), ..entry }));
        mixed.extend(entries(1, "x"));
        assert_eq!(lengths(mixed), [4, 1]);
    }
}
