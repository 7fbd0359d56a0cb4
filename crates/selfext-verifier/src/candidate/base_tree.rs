//! The entries of a base tree.

use std::collections::BTreeMap;

use selfext_domain::ports::VerifierError;
use selfext_domain::{RepoPath, TreeSha};

use crate::cache::Repository;
use crate::error::{unavailable, unavailable_by};

/// What a base has at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Executable,
    Symlink,
    Submodule,
}

impl Kind {
    /// What a mode stands for; `None` for a folder, and for what git does not know.
    pub(crate) fn of(mode: &str) -> Option<Self> {
        match (mode, mode.as_bytes().get(3)) {
            ("120000", _) => Some(Self::Symlink),
            ("160000", _) => Some(Self::Submodule),
            // As git itself: the owner's right decides, whatever else old trees hold.
            (mode, Some(b'1' | b'3' | b'5' | b'7')) if mode.starts_with("100") => Some(Self::Executable),
            (mode, _) if mode.starts_with("100") => Some(Self::File),
            _ => None,
        }
    }

    /// Whether it is executable, if it is a regular file, as change sets write them.
    pub(crate) const fn executable(self) -> Option<bool> {
        match self {
            Self::File => Some(false),
            Self::Executable => Some(true),
            Self::Symlink | Self::Submodule => None,
        }
    }

    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::File | Self::Executable => "a file",
            Self::Symlink => "a symbolic link",
            Self::Submodule => "a submodule",
        }
    }
}

/// One entry of a base tree that is no folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    pub(crate) object: String,
}

/// All entries of a base tree that are no folders, by their full paths.
#[derive(Debug, Default)]
pub(crate) struct BaseTree {
    entries: BTreeMap<Vec<u8>, Entry>,
}

impl BaseTree {
    /// Lists a tree, by one call of git.
    pub(crate) async fn read(repository: &Repository, tree: &TreeSha) -> Result<Self, VerifierError> {
        let call = repository.call("the files of the base cannot be listed");
        let listing = call.args(["ls-tree", "-r", "-z", "--full-tree", tree.as_str()]).output().await?;
        let parsed = tokio::task::spawn_blocking(move || Self::parse(&listing)).await;
        let parsed = parsed.map_err(|error| unavailable_by("the files of the base cannot be listed", error))?;
        parsed.ok_or_else(|| unavailable("git listed the base in an unknown form"))
    }

    /// Reads what `git ls-tree -r -z` writes; `None` if it is something else.
    pub(super) fn parse(listing: &[u8]) -> Option<Self> {
        let mut entries = BTreeMap::new();
        for line in listing.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
            let tab = line.iter().position(|byte| *byte == b'\t')?;
            let words: Vec<&str> = std::str::from_utf8(&line[..tab]).ok()?.split(' ').collect();
            let [mode, kind, object] = words[..] else {
                return None;
            };
            let named = if mode == "160000" { "commit" } else { "blob" };
            let kind = Kind::of(mode).filter(|_| kind == named)?;
            entries.insert(line[tab + 1..].to_vec(), Entry { kind, object: object.to_owned() });
        }
        Some(Self { entries })
    }

    pub(crate) fn get(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path.as_bytes())
    }

    /// Puts an entry in the place of another, or takes it away; answers what was there.
    pub(super) fn put(&mut self, path: &RepoPath, entry: Option<Entry>) -> Option<Entry> {
        let name = path.as_str().as_bytes();
        match entry {
            Some(entry) => self.entries.insert(name.to_vec(), entry),
            None => self.entries.remove(name),
        }
    }

    /// The symbolic links, each with the object that holds its target.
    pub(super) fn links(&self) -> impl Iterator<Item = (&[u8], &str)> {
        let links = self.entries.iter().filter(|(_, entry)| entry.kind == Kind::Symlink);
        links.map(|(path, entry)| (path.as_slice(), entry.object.as_str()))
    }

    /// The paths below a folder.
    pub(crate) fn below(&self, folder: &str) -> impl Iterator<Item = &[u8]> {
        let prefix = format!("{folder}/").into_bytes();
        let from = self.entries.range(prefix.clone()..);
        from.map(|(path, _)| path.as_slice()).take_while(move |path| path.starts_with(&prefix))
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &[u8]> {
        self.entries.keys().map(Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_is_read_with_odd_names_and_old_modes() {
        let lines = [
            "100644 blob aa\ta b",
            "100755 blob bb\tbin/\"x\n",
            "120000 blob cc\tln",
            "160000 commit dd\tsub",
            "100664 blob ee\told",
        ];
        let tree = BaseTree::parse(lines.join("\0").as_bytes()).unwrap();
        let kind = |path| tree.get(path).map(|entry| entry.kind);
        assert_eq!(kind("a b"), Some(Kind::File));
        assert_eq!(kind("bin/\"x\n"), Some(Kind::Executable));
        assert_eq!((kind("ln"), kind("sub")), (Some(Kind::Symlink), Some(Kind::Submodule)));
        assert_eq!((kind("old"), kind("none")), (Some(Kind::File), None));
        assert_eq!(tree.below("bin").count(), 1);
        assert_eq!(tree.below("bi").count(), 0);
        assert!(BaseTree::parse(b"not a listing\0").is_none());
        assert!(BaseTree::parse(b"").is_some());
    }
}
