//! Tree objects.

use std::collections::BTreeMap;

use super::{Git, GitError, Oid};

/// GitHub's limit on the entries of one answer.
const MOST_LISTED: usize = 100_000;

/// One entry of a tree object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TreeEntry {
    /// The mode as git writes it, in octal: `0o100644`, `0o100755`, `0o120000`, `0o40000` or `0o160000`.
    pub(crate) mode: u32,
    /// What the entry points at.
    pub(crate) oid: Oid,
}

impl TreeEntry {
    /// Whether the entry is a directory.
    pub(crate) fn is_tree(self) -> bool {
        self.mode == 0o40000
    }

    /// Whether the entry is a symbolic link.
    pub(crate) fn is_link(self) -> bool {
        self.mode == 0o120_000
    }

    /// Whether the entry is a submodule.
    pub(crate) fn is_submodule(self) -> bool {
        self.mode == 0o160_000
    }

    /// The kind of object that the mode asks for.
    pub(crate) fn kind(self) -> &'static str {
        match self.mode {
            0o40000 => "tree",
            0o160_000 => "commit",
            _ => "blob",
        }
    }
}

/// The entries of one tree object by name; names are bytes, as git keeps them.
pub(crate) type Entries = BTreeMap<Vec<u8>, TreeEntry>;

/// An entry as `git ls-tree` shows it.
#[derive(Clone, Debug)]
pub(crate) struct ListedEntry {
    /// The path from the root of the listing.
    pub(crate) path: String,
    /// The mode in six octal digits.
    pub(crate) mode: String,
    /// `blob`, `tree` or `commit`.
    pub(crate) kind: String,
    /// What the entry points at.
    pub(crate) oid: Oid,
    /// The size of a blob in bytes.
    pub(crate) size: Option<u64>,
}

impl Git {
    /// The entries of a tree, or `None` if the id names no tree.
    pub(crate) async fn entries(&self, tree: Oid) -> Result<Option<Entries>, GitError> {
        match self.object(tree).await? {
            Some((info, data)) if info.kind == "tree" => {
                let entries = parse(&data).ok_or_else(|| GitError::unexpected("cat-file", b"a tree"))?;
                Ok(Some(entries))
            }
            _ => Ok(None),
        }
    }

    /// Stores a tree with these entries.
    pub(super) async fn write_tree(&self, entries: &Entries) -> Result<Oid, GitError> {
        self.write_raw_tree(&encode(entries)).await
    }

    /// The tree of a tree, a commit or a tag of a commit.
    pub(crate) async fn tree_of(&self, oid: Oid) -> Result<Option<Oid>, GitError> {
        let Some(info) = self.info(oid).await? else {
            return Ok(None);
        };
        match info.kind.as_str() {
            "tree" => Ok(Some(oid)),
            "commit" => Ok(self.commit(oid).await?.map(|commit| commit.tree)),
            _ => Ok(None),
        }
    }

    /// Follows a path of names through trees; `None` if a name is missing on the way.
    pub(crate) async fn entry_at(&self, root: Oid, path: &[&str]) -> Result<Option<TreeEntry>, GitError> {
        let mut here = TreeEntry { mode: 0o40000, oid: root };
        for name in path {
            let Some(entries) = self.entries(here.oid).await? else {
                return Ok(None);
            };
            match entries.get(name.as_bytes()) {
                Some(entry) => here = *entry,
                None => return Ok(None),
            }
        }
        Ok(Some(here))
    }

    /// Lists a tree, with everything below it if `recursive`; the flag says whether entries were cut off.
    pub(crate) async fn list_tree(&self, tree: Oid, recursive: bool) -> Result<(Vec<ListedEntry>, bool), GitError> {
        let tree = tree.to_string();
        let mut arguments = vec!["ls-tree", "-z", "-l"];
        if recursive {
            arguments.extend(["-r", "-t"]);
        }
        arguments.push(&tree);
        let output = self.launcher.run(&arguments).await?;
        let mut listed = Vec::new();
        let mut records = output.split(|byte| *byte == 0).filter(|record| !record.is_empty());
        for record in records.by_ref().take(MOST_LISTED) {
            let text = String::from_utf8_lossy(record);
            let entry = listed_entry(&text).ok_or_else(|| GitError::unexpected("ls-tree", record))?;
            listed.push(entry);
        }
        Ok((listed, records.next().is_some()))
    }
}

fn listed_entry(record: &str) -> Option<ListedEntry> {
    let (facts, path) = record.split_once('\t')?;
    let mut words = facts.split_ascii_whitespace();
    Some(ListedEntry {
        path: path.to_owned(),
        mode: words.next()?.to_owned(),
        kind: words.next()?.to_owned(),
        oid: Oid::parse(words.next()?)?,
        size: words.next()?.parse().ok(),
    })
}

fn parse(mut data: &[u8]) -> Option<Entries> {
    let mut entries = Entries::new();
    while !data.is_empty() {
        let space = data.iter().position(|byte| *byte == b' ')?;
        let end = data.iter().position(|byte| *byte == 0)?;
        let mode = std::str::from_utf8(&data[..space]).ok()?;
        let mode = u32::from_str_radix(mode, 8).ok()?;
        let name = data.get(space + 1..end)?.to_vec();
        let oid = Oid::from_raw(data.get(end + 1..end + 21)?)?;
        entries.insert(name, TreeEntry { mode, oid });
        data = &data[end + 21..];
    }
    Some(entries)
}

/// Git sorts a directory as if its name ended with a slash.
fn encode(entries: &Entries) -> Vec<u8> {
    let mut sorted: Vec<(&Vec<u8>, &TreeEntry)> = entries.iter().collect();
    sorted.sort_by_key(|(name, entry)| {
        let mut key = (*name).clone();
        if entry.is_tree() {
            key.push(b'/');
        }
        key
    });
    let mut data = Vec::new();
    for (name, entry) in sorted {
        data.extend_from_slice(format!("{:o} ", entry.mode).as_bytes());
        data.extend_from_slice(name);
        data.push(0);
        data.extend_from_slice(entry.oid.raw());
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_reads_back_and_directories_sort_as_git_sorts_them() {
        let oid = Oid::parse(super::super::EMPTY_TREE).expect("an id");
        let mut entries = Entries::new();
        entries.insert(b"a".to_vec(), TreeEntry { mode: 0o40000, oid });
        entries.insert(b"a.b".to_vec(), TreeEntry { mode: 0o100_644, oid });
        let data = encode(&entries);
        assert!(data.starts_with(b"100644 a.b\0"), "a file 'a.b' stands before a directory 'a'");
        assert_eq!(parse(&data), Some(entries));
    }
}
