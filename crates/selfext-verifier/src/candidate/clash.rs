//! Names that some file systems take for the same.

use std::collections::{BTreeMap, BTreeSet};

use selfext_domain::{ChangeSet, FileChange, RepoPath, folded};

use super::base_tree::BaseTree;
use super::obstacle::Obstacle;
use super::plan::is_deleted;

/// The names, of files and of the folders above them, that a change brings and that differ only in case or normal form from others that the
/// tree will hold. Names that clash on the base already are no fault of the change.
pub(super) fn find_clashes(base: &BaseTree, change: &ChangeSet) -> Vec<Obstacle> {
    let mut written: BTreeMap<&str, Vec<&RepoPath>> = BTreeMap::new();
    for (path, file) in change.files() {
        if matches!(file, FileChange::Write { .. }) {
            for name in path.ancestors().chain([path.as_str()]) {
                written.entry(name).or_default().push(path);
            }
        }
    }
    let mut brought: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for name in written.keys() {
        brought.entry(folded(name)).or_default().push(name);
    }
    let mut on_base: BTreeSet<String> = BTreeSet::new();
    let mut clashes: BTreeMap<&str, String> = BTreeMap::new();
    let mut before = String::new();
    for path in base.paths().filter(|path| !is_deleted(change, path)) {
        let path = String::from_utf8_lossy(path).into_owned();
        for name in new_names(&before, &path) {
            for brought in brought.get(&folded(name)).into_iter().flatten() {
                if *brought == name {
                    on_base.insert(name.to_owned());
                } else {
                    clashes.insert(brought, name.to_owned());
                }
            }
        }
        before = path;
    }
    for names in brought.values().filter(|names| names.len() > 1) {
        for pair in names.windows(2) {
            clashes.entry(pair[1]).or_insert_with(|| pair[0].to_owned());
            clashes.entry(pair[0]).or_insert_with(|| pair[1].to_owned());
        }
    }
    clashes.retain(|name, _| !on_base.contains(*name));
    let mut obstacles: BTreeMap<&RepoPath, String> = BTreeMap::new();
    for (name, other) in clashes {
        for path in written.get(name).into_iter().flatten() {
            obstacles.entry(path).or_insert_with(|| {
                format!("writes {path}, but file systems that ignore case or normal forms take {name} for {other}")
            });
        }
    }
    obstacles.into_iter().map(|(path, clause)| Obstacle { path: path.clone(), clause }).collect()
}

/// The names of a path and of the folders above it that the path before it, in order, did not have.
fn new_names<'a>(before: &'a str, path: &'a str) -> impl Iterator<Item = &'a str> {
    let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
    let known = move |name: &&str| !before.strip_prefix(*name).is_some_and(|rest| rest.starts_with('/'));
    folders.filter(known).chain([path])
}
