//! The files of a publication as GraphQL takes them, where it can.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use selfext_domain::{Candidate, EntryChange};

use crate::wire::{CommitMessage, FileAddition, FileChanges, FileDeletion};

/// The most bytes of files that go into one mutation. GitHub takes about 40 MB of payload (measured by users of
/// `createCommitOnBranch`, in no description of GitHub's), and base64 makes a third more of them.
const MAX_BYTES: usize = 10 * 1024 * 1024;

/// The changes of a candidate, or nothing where the mutation could not make exactly its tree: it has no executable bit to set.
/// A file that is executable and is not to be any more is not seen here; the tree that comes back tells.
pub(super) fn file_changes(candidate: &Candidate) -> Option<FileChanges<'_>> {
    let mut changes = FileChanges::default();
    let mut room = MAX_BYTES;
    for (path, change) in &candidate.entries {
        let path = path.as_str();
        match change {
            EntryChange::Delete => changes.deletions.push(FileDeletion { path }),
            EntryChange::Write { executable: true, .. } => return None,
            EntryChange::Write { content, executable: false } => {
                room = room.checked_sub(content.len())?;
                changes.additions.push(FileAddition { path, contents: STANDARD.encode(content) });
            }
        }
    }
    Some(changes)
}

/// The message as headline and body, or nothing where GitHub would put them together to another one.
pub(super) fn commit_message(message: &str) -> Option<CommitMessage<'_>> {
    let (headline, body) = message.split_once("\n\n")?;
    let plain = !headline.is_empty() && headline == headline.trim() && !headline.contains('\n');
    (plain && !body.trim().is_empty()).then_some(CommitMessage { headline, body })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use selfext_domain::{BaseLinks, CommitSha, RepoPath, TreeSha};

    use super::*;

    fn candidate(entries: &[(&str, EntryChange)]) -> Candidate {
        let tree = TreeSha::parse("1".repeat(40)).unwrap();
        Candidate {
            base: CommitSha::parse("2".repeat(40)).unwrap(),
            base_tree: tree.clone(),
            tree,
            entries: entries.iter().map(|(path, change)| (RepoPath::parse(*path).unwrap(), change.clone())).collect(),
            links: BaseLinks::default(),
            irreversible: Vec::new(),
        }
    }

    fn file(bytes: &[u8], executable: bool) -> EntryChange {
        EntryChange::Write { content: Arc::from(bytes), executable }
    }

    #[test]
    fn writes_and_deletes_fit() {
        let candidate = candidate(&[("a", file(b"\xff\0", false)), ("b/c", EntryChange::Delete)]);
        let expected = FileChanges {
            additions: vec![FileAddition { path: "a", contents: "/wA=".to_owned() }],
            deletions: vec![FileDeletion { path: "b/c" }],
        };
        assert_eq!(file_changes(&candidate), Some(expected));
    }

    #[test]
    fn an_executable_file_and_too_many_bytes_do_not_fit() {
        assert_eq!(file_changes(&candidate(&[("a", file(b"x", false)), ("b", file(b"x", true))])), None);
        let half = file(&vec![0; MAX_BYTES / 2], false);
        assert!(file_changes(&candidate(&[("a", half.clone()), ("b", half.clone())])).is_some());
        assert_eq!(file_changes(&candidate(&[("a", half.clone()), ("b", half), ("c", file(b"x", false))])), None);
    }

    #[test]
    fn a_message_is_split_only_where_it_comes_together_again() {
        let split = |message| commit_message(message).map(|parts| (parts.headline, parts.body));
        assert_eq!(split("A\n\nb\n\nSelfext-Meta: {}\n"), Some(("A", "b\n\nSelfext-Meta: {}\n")));
        assert_eq!(split("A\n\n\nb"), Some(("A", "\nb")));
        for other in ["A", "A\nb\n\nc", "\n\nb", "A \n\nb", "A\n\n", "A\n\n \n"] {
            assert_eq!(split(other), None, "{other:?}");
        }
    }
}
