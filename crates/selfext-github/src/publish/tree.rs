//! The tree of a candidate, made by GitHub.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};
use selfext_domain::ports::ForgeError;
use selfext_domain::{Candidate, EntryChange, TreeSha};

use crate::client::{CREATED, Client};
use crate::wire::{NewBlob, NewTree, NewTreeEntry, TreeSource, WrittenBlob, WrittenTree};

/// The largest file whose text travels inside the tree's request.
const MAX_INLINE_FILE: usize = 100 * 1024;

/// The most text that travels inside the tree's request; GitHub answers large ones with errors.
const MAX_INLINE_TOTAL: usize = 1024 * 1024;

/// How many blobs are sent at the same time.
const BLOBS_AT_ONCE: usize = 4;

impl Client {
    /// One request for a change of small text files; one more for each other file.
    pub(super) async fn write_tree(&self, candidate: &Candidate) -> Result<TreeSha, ForgeError> {
        let mut room = MAX_INLINE_TOTAL;
        let mut entries = Vec::with_capacity(candidate.entries.len());
        let mut blobs = Vec::new();
        for (path, change) in &candidate.entries {
            let (mode, source) = match change {
                EntryChange::Delete => ("100644", TreeSource::Blob(None)),
                EntryChange::Write { content, executable } => {
                    let mode = if *executable { "100755" } else { "100644" };
                    if let Some(text) = inline(content).filter(|text| text.len() <= room) {
                        room -= text.len();
                        (mode, TreeSource::Content(text))
                    } else {
                        blobs.push((entries.len(), &**content));
                        (mode, TreeSource::Blob(None))
                    }
                }
            };
            entries.push(NewTreeEntry { path: path.as_str(), mode, kind: "blob", source });
        }
        // Boxed: the compiler cannot see through the lifetimes of this stream inside a boxed future otherwise.
        let sending: Vec<BoxFuture<'_, _>> =
            blobs.into_iter().map(|(at, bytes)| self.write_blob(at, bytes).boxed()).collect();
        let mut written = stream::iter(sending).buffer_unordered(BLOBS_AT_ONCE);
        while let Some((at, sha)) = written.try_next().await? {
            entries[at].source = TreeSource::Blob(Some(sha));
        }
        drop(written);
        let body = NewTree { base_tree: &candidate.base_tree, tree: entries };
        let made: WrittenTree = self.post(self.at("git/trees"), &body).await?.expect(CREATED, "base tree")?;
        Ok(made.sha)
    }

    async fn write_blob(&self, at: usize, bytes: &[u8]) -> Result<(usize, String), ForgeError> {
        let body = NewBlob { content: STANDARD.encode(bytes), encoding: "base64" };
        let made: WrittenBlob = self.post(self.at("git/blobs"), &body).await?.expect(CREATED, "repository")?;
        Ok((at, made.sha))
    }
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
}
