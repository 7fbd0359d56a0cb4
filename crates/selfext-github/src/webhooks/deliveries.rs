//! Which deliveries have been seen.

use std::collections::{HashSet, VecDeque};

/// How many are remembered.
const MOST: usize = 10_000;

/// The deliveries that were seen last, by their ids and by their signatures.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    order: VecDeque<(String, [u8; 32])>,
    ids: HashSet<String>,
    tags: HashSet<[u8; 32]>,
}

impl Deliveries {
    /// Remembers a delivery; `false` if it was seen before, under its id or with its signature.
    pub(super) fn is_new(&mut self, id: &str, tag: [u8; 32]) -> bool {
        if self.ids.contains(id) || self.tags.contains(&tag) {
            return false;
        }
        if self.order.len() == MOST
            && let Some((id, tag)) = self.order.pop_front()
        {
            self.ids.remove(&id);
            self.tags.remove(&tag);
        }
        self.ids.insert(id.to_owned());
        self.tags.insert(tag);
        self.order.push_back((id.to_owned(), tag));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(n: u64) -> [u8; 32] {
        let mut tag = [0; 32];
        tag[..8].copy_from_slice(&n.to_le_bytes());
        tag
    }

    #[test]
    fn a_delivery_is_new_once_whichever_of_its_two_names_is_changed() {
        let mut seen = Deliveries::default();
        assert!(seen.is_new("a", tag(1)));
        assert!(!seen.is_new("a", tag(2)) && !seen.is_new("b", tag(1)));
        assert!(seen.is_new("b", tag(2)));
    }

    #[test]
    fn a_bounded_number_is_remembered_and_the_oldest_go_first() {
        let mut seen = Deliveries::default();
        for n in 0..MOST as u64 + 5 {
            assert!(seen.is_new(&n.to_string(), tag(n)));
        }
        assert_eq!((seen.order.len(), seen.ids.len(), seen.tags.len()), (MOST, MOST, MOST));
        assert!(!seen.is_new("5", tag(5)));
        assert!(seen.is_new("4", tag(4)));
    }
}
