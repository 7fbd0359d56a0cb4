//! A map that knows which of its entries have changed since they were last written.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};

/// A map whose changes can be written one by one.
///
/// What is changed through the methods here is noted entry by entry. Every other way of changing the map counts as a change of
/// all of it: that is right whatever was done, and costs more to write.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent, bound(deserialize = "K: Ord + Deserialize<'de>, V: Deserialize<'de>"))]
pub(crate) struct Kept<K, V> {
    entries: BTreeMap<K, V>,
    #[serde(skip)]
    touched: BTreeSet<K>,
    #[serde(skip)]
    all_touched: bool,
}

impl<K: Ord + Copy, V> Kept<K, V> {
    /// An entry that is about to be changed.
    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let value = self.entries.get_mut(key)?;
        self.touched.insert(*key);
        Some(value)
    }

    /// Puts an entry into the place of the one before.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.touched.insert(key);
        self.entries.insert(key, value);
    }

    /// The place of an entry that is about to be changed.
    pub(crate) fn entry(&mut self, key: K) -> Entry<'_, K, V> {
        self.touched.insert(key);
        self.entries.entry(key)
    }

    /// The entries that have changed; `None` if it is not known which.
    pub(super) fn changed(&self) -> Option<BTreeMap<K, &V>> {
        let entry = |key: &K| Some((*key, self.entries.get(key)?));
        (!self.all_touched).then(|| self.touched.iter().filter_map(entry).collect())
    }

    /// Takes over entries as they were written.
    pub(super) fn take_over(&mut self, written: BTreeMap<K, V>) {
        self.entries.extend(written);
    }

    /// Everything is written.
    pub(super) fn written(&mut self) {
        self.touched.clear();
        self.all_touched = false;
    }
}

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), touched: BTreeSet::new(), all_touched: false }
    }
}

impl<K, V> Deref for Kept<K, V> {
    type Target = BTreeMap<K, V>;

    fn deref(&self) -> &Self::Target {
        &self.entries
    }
}

impl<K, V> DerefMut for Kept<K, V> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.all_touched = true;
        &mut self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_noted_by_its_entry_and_an_unknown_one_by_the_whole() {
        let mut kept = Kept::default();
        kept.take_over(BTreeMap::from([(1, "a".to_owned()), (2, "b".to_owned())]));
        assert_eq!(kept.changed(), Some(BTreeMap::new()));
        kept.get_mut(&2).expect("there").push('!');
        kept.entry(3).or_default().push('c');
        assert!(kept.get_mut(&9).is_none());
        let changed = kept.changed().expect("known");
        assert_eq!(changed, BTreeMap::from([(2, &"b!".to_owned()), (3, &"c".to_owned())]));
        kept.written();
        kept.insert(1, "d".to_owned());
        assert_eq!(kept.changed().expect("known").len(), 1);
        kept.retain(|key, _| *key != 1);
        assert_eq!(kept.changed(), None);
        kept.written();
        assert_eq!(kept.changed(), Some(BTreeMap::new()));
    }
}
