//! The tree of a candidate, made by GitHub.

mod portions;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use selfext_domain::ports::ForgeError;
use selfext_domain::{Candidate, EntryChange, RepoPath, TreeSha};

use crate::client::{CREATED, Client};
use crate::wire::{NewBlob, NewTree, NewTreeEntry, TreeSource, WrittenBlob, WrittenTree};

/// The largest file that GitHub takes over its API, in bytes: a larger blob is refused once all of it has arrived.
const MAX_FILE: usize = 40 * 1024 * 1024;

/// The largest file whose text travels inside the tree's request.
const MAX_INLINE_FILE: usize = 100 * 1024;

impl Client {
    /// One request for a change of small text files; one more for each other file, and for each [portion](portions) of a change
    /// that is too large for one. A file that GitHub would refuse for its size is refused before anything is sent.
    pub(super) async fn write_tree(&self, candidate: &Candidate) -> Result<TreeSha, ForgeError> {
        check_sizes(candidate)?;
        let mut entries = Vec::with_capacity(candidate.entries.len());
        for (path, change) in in_order(&candidate.entries) {
            let (mode, source) = match change {
                EntryChange::Delete => ("100644", TreeSource::Blob(None)),
                EntryChange::Write { content, executable } => {
                    let mode = if *executable { "100755" } else { "100644" };
                    let source = match inline(content) {
                        Some(text) => TreeSource::Content(text),
                        // One at a time, as all writes: each is held in memory as base64.
                        None => TreeSource::Blob(Some(self.write_blob(content).await?)),
                    };
                    (mode, source)
                }
            };
            entries.push(NewTreeEntry { path: path.as_str(), mode, kind: "blob", source });
        }
        let mut tree = candidate.base_tree.clone();
        for portion in portions::of(entries) {
            tree = self.write_on_top(&tree, portion).await?;
        }
        Ok(tree)
    }

    /// Makes a tree on top of another one, which may have been made a moment ago and not be known everywhere yet.
    async fn write_on_top(&self, base_tree: &TreeSha, tree: Vec<NewTreeEntry<'_>>) -> Result<TreeSha, ForgeError> {
        let body = NewTree { base_tree, tree };
        let mut waits = self.waits();
        loop {
            let answer = self.post(self.at("git/trees"), &body).await?;
            if answer.is_invalid_for("base_tree") && waits.again("new tree").await {
                continue;
            }
            return answer.expect::<WrittenTree>(CREATED, "base tree").map(|made| made.sha);
        }
    }

    async fn write_blob(&self, bytes: &[u8]) -> Result<String, ForgeError> {
        let body = NewBlob { content: STANDARD.encode(bytes), encoding: "base64" };
        let made: WrittenBlob = self.post(self.at("git/blobs"), &body).await?.expect(CREATED, "repository")?;
        Ok(made.sha)
    }
}

fn check_sizes(candidate: &Candidate) -> Result<(), ForgeError> {
    for (path, change) in &candidate.entries {
        if let EntryChange::Write { content, .. } = change
            && content.len() > MAX_FILE
        {
            let bytes = content.len();
            return Err(ForgeError::Refused(format!(
                "{path} has {bytes} bytes, and GitHub takes no file of more than {MAX_FILE} bytes (40 MiB) over its API; nothing \
                 was sent"
            )));
        }
    }
    Ok(())
}

/// First what is deleted: a file may take the place of a folder, and a folder that of a file.
fn in_order(entries: &[(RepoPath, EntryChange)]) -> impl Iterator<Item = &(RepoPath, EntryChange)> {
    let deletes = |change: &EntryChange| matches!(change, EntryChange::Delete);
    let first = entries.iter().filter(move |(_, change)| deletes(change));
    first.chain(entries.iter().filter(move |(_, change)| !deletes(change)))
}

/// The bytes as text that certainly arrives as it is: NUL and a leading byte order mark are risky in JSON.
fn inline(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    (text.len() <= MAX_INLINE_FILE && !text.contains('\0') && !text.starts_with('\u{FEFF}')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_small_plain_text_travels_inside_the_tree() {
        assert_eq!(inline("ä\r\n".as_bytes()), Some("ä\r\n"));
        assert_eq!(inline(b""), Some(""));
        let large = vec![b'x'; MAX_INLINE_FILE + 1];
        for other in [&b"\xff"[..], b"a\0b", "\u{FEFF}a".as_bytes(), &large] {
            assert_eq!(inline(other), None);
        }
    }

    #[test]
    fn a_deleted_path_is_written_as_null() {
        let entry = NewTreeEntry { path: "a", mode: "100644", kind: "blob", source: TreeSource::Blob(None) };
        assert_eq!(serde_json::to_string(&entry).unwrap(), r#"{"path":"a","mode":"100644","type":"blob","sha":null}"#);
    }

    #[test]
    fn what_is_deleted_comes_first() {
        let write = || EntryChange::Write { content: (&b"x"[..]).into(), executable: false };
        let path = |text| RepoPath::parse(text).unwrap();
        let entries = [
            (path("a"), write()),
            (path("a/b"), EntryChange::Delete),
            (path("c"), EntryChange::Delete),
            (path("c/d"), write()),
        ];
        let order: Vec<&str> = in_order(&entries).map(|(path, _)| path.as_str()).collect();
        assert_eq!(order, ["a/b", "c", "a", "c/d"]);
    }
}
