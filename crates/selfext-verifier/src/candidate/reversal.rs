//! Whether a candidate could be taken back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use selfext_domain::ports::VerifierError;
use selfext_domain::{FileChange, RepoPath};

use super::applicable::keep_applicable;
use super::base_tree::{BaseTree, Entry};
use super::budget::Budget;
use super::plan::Files;
use crate::cache::Repository;
use crate::error::unavailable_by;

/// Which of the entries that make a candidate of `base` no change set could restore on top of that candidate.
pub(super) async fn irreversible(
    repository: &Repository,
    base: BaseTree,
    entries: Vec<(RepoPath, Option<Entry>)>,
) -> Result<Vec<RepoPath>, VerifierError> {
    let regular = |path: &RepoPath| base.get(path.as_str()).filter(|entry| entry.kind.executable().is_some());
    let restored: BTreeMap<&RepoPath, &str> =
        entries.iter().filter_map(|(path, _)| Some((path, regular(path)?.object.as_str()))).collect();
    let objects: Vec<&str> = restored.values().copied().collect();
    let sizes = repository.sizes(WHAT, &objects).await?;
    let mut budget = Budget::new();
    let too_much = restored.keys().zip(sizes).filter(|(_, size)| !budget.take(*size));
    let too_much: BTreeSet<RepoPath> = too_much.map(|(path, _)| (*path).clone()).collect();
    let work = move || lost(base, entries, too_much);
    tokio::task::spawn_blocking(work).await.map_err(|error| unavailable_by(WHAT, error))
}

const WHAT: &str = "it cannot be told whether the change could be taken back";

/// Adds to what is lost already.
fn lost(mut tree: BaseTree, entries: Vec<(RepoPath, Option<Entry>)>, mut lost: BTreeSet<RepoPath>) -> Vec<RepoPath> {
    let mut inverse = Files::new();
    for (path, entry) in entries {
        let before = tree.put(&path, entry).map(|entry| entry.kind.executable());
        let restore = match before {
            None => FileChange::Delete,
            // What it holds does not matter here.
            Some(Some(executable)) => FileChange::Write { content: Arc::from([]), executable: Some(executable) },
            Some(None) => {
                lost.insert(path);
                continue;
            }
        };
        inverse.insert(path, restore);
    }
    lost.extend(keep_applicable(&tree, &mut inverse).into_iter().map(|obstacle| obstacle.path));
    lost.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::super::base_tree::Kind;
    use super::*;

    fn lost_of(base: &[&str], entries: &[(&str, bool)]) -> Vec<String> {
        let base = BaseTree::parse(base.join("\0").as_bytes()).unwrap();
        let entry = |written: bool| written.then(|| Entry { kind: Kind::File, object: "ff".to_owned() });
        let entries = entries.iter().map(|(name, written)| (RepoPath::parse(*name).unwrap(), entry(*written)));
        lost(base, entries.collect(), BTreeSet::new()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn files_can_be_restored_and_links_and_submodules_cannot() {
        let base = ["100644 blob aa\tfile", "100755 blob bb\tdir/run", "120000 blob cc\tlink", "160000 commit dd\tsub"];
        assert!(lost_of(&base, &[("file", false), ("dir/run", true), ("new", true)]).is_empty());
        assert!(
            lost_of(&base, &[("file", false), ("file/inside", true), ("dir/run", false), ("dir", true)]).is_empty()
        );
        assert_eq!(lost_of(&base, &[("link", false), ("sub", true), ("file", true)]), ["link", "sub"]);
    }

    #[test]
    fn what_only_others_may_have_written_cannot_be_restored() {
        let deep = format!("{}f", "d/".repeat(200));
        let lines = ["100644 blob aa\tREADME", "100644 blob bb\treadme", &format!("100644 blob cc\t{deep}")];
        assert_eq!(lost_of(&lines, &[("readme", false), (&deep, false)]), [&deep[..], "readme"]);
        assert!(lost_of(&lines, &[("README", false), ("readme", false)]).len() == 2);
    }
}
