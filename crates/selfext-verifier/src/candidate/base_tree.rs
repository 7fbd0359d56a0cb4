//! The entries of a base tree.

use std::collections::BTreeMap;

/// What a base has at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Executable,
    Symlink,
    Submodule,
}

impl Kind {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::File | Self::Executable => "a file",
            Self::Symlink => "a symbolic link",
            Self::Submodule => "a submodule",
        }
    }
}

/// One entry of a base tree that is no folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) object: String,
}

/// All entries of a base tree that are no folders, by their full paths.
#[derive(Debug, Default)]
pub(super) struct BaseTree {
    entries: BTreeMap<Vec<u8>, Entry>,
}

impl BaseTree {
    /// Reads what `git ls-tree -r -z` writes; `None` if it is something else.
    pub(super) fn parse(listing: &[u8]) -> Option<Self> {
        let mut entries = BTreeMap::new();
        for line in listing.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
            let tab = line.iter().position(|byte| *byte == b'\t')?;
            let words: Vec<&str> = std::str::from_utf8(&line[..tab]).ok()?.split(' ').collect();
            let [mode, kind, object] = words[..] else {
                return None;
            };
            let kind = match (mode, kind) {
                ("120000", "blob") => Kind::Symlink,
                ("160000", "commit") => Kind::Submodule,
                // As git itself: the owner's right decides, whatever else old trees hold.
                (mode, "blob")
                    if mode.starts_with("100") && matches!(mode.as_bytes().get(3), Some(b'1' | b'3' | b'5' | b'7')) =>
                {
                    Kind::Executable
                }
                (mode, "blob") if mode.starts_with("100") => Kind::File,
                _ => return None,
            };
            entries.insert(line[tab + 1..].to_vec(), Entry { kind, object: object.to_owned() });
        }
        Some(Self { entries })
    }

    pub(super) fn get(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path.as_bytes())
    }

    /// The symbolic links, each with the object that holds its target.
    pub(super) fn links(&self) -> impl Iterator<Item = (&[u8], &str)> {
        let links = self.entries.iter().filter(|(_, entry)| entry.kind == Kind::Symlink);
        links.map(|(path, entry)| (path.as_slice(), entry.object.as_str()))
    }

    /// The paths below a folder.
    pub(super) fn below(&self, folder: &str) -> impl Iterator<Item = &[u8]> {
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
