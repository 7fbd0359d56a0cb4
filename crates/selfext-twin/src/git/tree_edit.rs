//! A new tree from an old one and a list of changes, without an index and without a process for each file.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use super::tree::{Entries, TreeEntry};
use super::{Git, GitError, Oid};

/// What shall become of one path.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TreeChange {
    /// The path points at this.
    Put(TreeEntry),
    /// The path is gone.
    Delete,
}

/// Why a tree could not be made.
#[derive(Debug)]
pub(crate) enum TreeEditError {
    /// A path that was to be deleted does not exist.
    NothingToDelete,
    /// Git failed.
    Git(GitError),
}

impl From<GitError> for TreeEditError {
    fn from(error: GitError) -> Self {
        Self::Git(error)
    }
}

/// The names of a path, or `None` if GitHub would call it malformed: empty names, `.`, `..`, `.git` in any of the
/// spellings that a file system might take for it, and control characters.
pub(crate) fn path_segments(path: &str) -> Option<Vec<&str>> {
    let segments: Vec<&str> = path.split('/').collect();
    let sound = |name: &&str| {
        let plain = name.trim_end_matches(['.', ' ']).to_ascii_lowercase();
        let dots = name.is_empty() || *name == "." || *name == "..";
        let reserved = plain == ".git" || plain == "git~1" || plain.starts_with(".git:");
        // Characters that some file systems ignore would hide a `.git` from the check above.
        let hidden = name.chars().any(
            |c| matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}'),
        );
        !dots && !reserved && !hidden && !name.chars().any(char::is_control)
    };
    segments.iter().all(sound).then_some(segments)
}

/// The changes of one directory by name.
#[derive(Default)]
struct Plan(BTreeMap<Vec<u8>, Step>);

enum Step {
    Change(TreeChange),
    Enter(Plan),
}

impl Plan {
    /// Adds a change; a later one takes the place of an earlier one of the same path or of a path above it.
    fn add(&mut self, path: &[&str], change: TreeChange) {
        let Some((name, rest)) = path.split_first() else {
            return;
        };
        let name = name.as_bytes().to_vec();
        if rest.is_empty() {
            self.0.insert(name, Step::Change(change));
            return;
        }
        let step = self.0.entry(name).or_insert_with(|| Step::Enter(Self::default()));
        if matches!(step, Step::Change(_)) {
            *step = Step::Enter(Self::default());
        }
        if let Step::Enter(plan) = step {
            plan.add(rest, change);
        }
    }
}

impl Git {
    /// Writes the tree that comes of applying `changes` (paths without malformed names) to `base`.
    pub(crate) async fn edit_tree(
        &self,
        base: Option<Oid>,
        changes: &[(Vec<&str>, TreeChange)],
    ) -> Result<Oid, TreeEditError> {
        let mut plan = Plan::default();
        for (path, change) in changes {
            plan.add(path, *change);
        }
        match self.apply(base, &plan).await? {
            Some(tree) => Ok(tree),
            None => Ok(self.write_tree(&Entries::new()).await?),
        }
    }

    /// Applies a plan to one directory; `None` if nothing is left in it. Boxed, as it calls itself.
    fn apply<'a>(
        &'a self,
        base: Option<Oid>,
        plan: &'a Plan,
    ) -> Pin<Box<dyn Future<Output = Result<Option<Oid>, TreeEditError>> + Send + 'a>> {
        Box::pin(async move {
            let mut entries = match base {
                Some(tree) => self.entries(tree).await?.unwrap_or_default(),
                None => Entries::new(),
            };
            for (name, step) in &plan.0 {
                match step {
                    Step::Change(TreeChange::Put(entry)) => {
                        entries.insert(name.clone(), *entry);
                    }
                    Step::Change(TreeChange::Delete) => {
                        entries.remove(name).ok_or(TreeEditError::NothingToDelete)?;
                    }
                    Step::Enter(below) => {
                        let old = entries.get(name).filter(|entry| entry.is_tree());
                        match self.apply(old.map(|entry| entry.oid), below).await? {
                            Some(oid) => entries.insert(name.clone(), TreeEntry { mode: 0o40000, oid }),
                            None => entries.remove(name),
                        };
                    }
                }
            }
            if entries.is_empty() {
                return Ok(None);
            }
            Ok(Some(self.write_tree(&entries).await?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_paths_are_recognised() {
        for good in ["a", "a/b.txt", ".github/x", "git", "..a", "a b", ".gitignore"] {
            assert!(path_segments(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "/a",
            "a/",
            "a//b",
            "..",
            "a/../b",
            "./a",
            ".git/config",
            "x/.GIT/y",
            "a\0b",
            ".git.",
            "GIT~1/x",
            ".g\u{200c}it",
        ] {
            assert!(path_segments(bad).is_none(), "{bad:?}");
        }
    }
}
