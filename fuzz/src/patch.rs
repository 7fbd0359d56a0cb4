//! What git prints of a patch or a worktree: git applies the patch, and this is read from it.

// The reader is part of a binary, which no other crate can use.
#[path = "../../crates/selfext-cli/src/git/raw_diff.rs"]
mod raw_diff;

/// Whatever git prints is read or refused. An entry has a path, and never one that is not in the output.
pub fn patch(data: &[u8]) {
    if let Ok(entries) = raw_diff::parse(data) {
        for entry in entries {
            assert!(!entry.path.is_empty() && data.windows(entry.path.len()).any(|part| part == entry.path));
            assert!(!(entry.new_mode.is_empty() && entry.is_added() && entry.is_deleted()));
            assert!(entry.old_object.len() + entry.new_object.len() <= data.len() * 3);
        }
    }
    if let Ok(blobs) = raw_diff::parse_blobs(data) {
        assert!(blobs.iter().map(Vec::len).sum::<usize>() <= data.len());
    }
}
