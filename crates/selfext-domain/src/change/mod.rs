//! Change sets: the files an agent wants to write or delete.

mod fingerprint;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use fingerprint::Fingerprint;

use crate::{ExecutionContext, InvalidValue, RepoPath};

/// What happens to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileChange {
    /// The file holds exactly these bytes afterwards.
    Write {
        /// The bytes; binary safe.
        content: Arc<[u8]>,
        /// Whether the file is executable. `None` keeps what the base has, and is "no" for a new file.
        executable: Option<bool>,
    },
    /// The file is gone afterwards. It must be there on the base.
    Delete,
}

/// Why files, a message and a context are not a change set.
#[derive(Debug, thiserror::Error)]
pub enum ChangeSetError {
    /// It changes nothing.
    #[error("the change set has no files; write or delete at least one")]
    Empty,
    /// One path is named twice.
    #[error("the path {0} is named twice; name each file once")]
    Twice(RepoPath),
    /// A path is a file and a folder of another one.
    #[error("{file} is written as a file, but {below} needs it to be a folder")]
    FileAndFolder {
        /// The path that would be a file.
        file: RepoPath,
        /// The path below it.
        below: RepoPath,
    },
    /// The message is empty, too long or holds NUL.
    #[error("the message {0}")]
    Message(&'static str),
    /// A part of the JSON form is not what it should be.
    #[error("the change set's JSON is not as documented")]
    Json(#[source] serde_json::Error),
    /// A path or id in it is illegal.
    #[error(transparent)]
    Value(#[from] InvalidValue),
    /// A file's entry has not exactly one of `content`, `content_base64` and `delete`.
    #[error("the entry of {path} {problem}")]
    Entry {
        /// The entry's path.
        path: RepoPath,
        /// What is wrong with it.
        problem: String,
    },
}

/// The files an agent wants to write or delete, with a message and its execution context.
///
/// A change set holds at least one file; no path is named twice, and none is both file and folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeSet {
    files: BTreeMap<RepoPath, FileChange>,
    message: String,
    context: ExecutionContext,
}

impl ChangeSet {
    /// The longest message, in bytes.
    pub const MAX_MESSAGE_BYTES: usize = 65_536;

    /// Starts a change set.
    #[must_use]
    pub fn builder(message: impl Into<String>, context: ExecutionContext) -> ChangeSetBuilder {
        ChangeSetBuilder { files: Vec::new(), message: message.into(), context }
    }

    /// Reads the JSON form: `{"message", "context": {"tool_name", …}, "files": [{"path", "content" | "content_base64" |
    /// "delete": true, "executable"?}]}`. Unknown fields are refused.
    ///
    /// # Errors
    /// [`ChangeSetError`] says which part is wrong.
    pub fn from_json(json: &[u8]) -> Result<Self, ChangeSetError> {
        wire::read(json)
    }

    /// The files in the order of their paths.
    #[must_use]
    pub const fn files(&self) -> &BTreeMap<RepoPath, FileChange> {
        &self.files
    }

    /// The message, as the agent gave it. Its first line becomes the pull request's title.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where in the agent's work the change was made.
    #[must_use]
    pub const fn context(&self) -> &ExecutionContext {
        &self.context
    }

    /// What identifies the content: paths, bytes, modes and deletes, whatever their order, the message or the time.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.files)
    }

    /// The number of bytes that it writes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files
            .values()
            .map(|change| if let FileChange::Write { content, .. } = change { content.len() as u64 } else { 0 })
            .sum()
    }
}

/// Gathers the files of a [`ChangeSet`].
#[derive(Clone, Debug)]
pub struct ChangeSetBuilder {
    files: Vec<(RepoPath, FileChange)>,
    message: String,
    context: ExecutionContext,
}

impl ChangeSetBuilder {
    /// Adds one file.
    #[must_use]
    pub fn file(mut self, path: RepoPath, change: FileChange) -> Self {
        self.files.push((path, change));
        self
    }

    /// Adds a file to write that keeps its mode.
    #[must_use]
    pub fn write(self, path: RepoPath, content: impl Into<Vec<u8>>) -> Self {
        self.file(path, FileChange::Write { content: Arc::from(content.into()), executable: None })
    }

    /// Adds a file to delete.
    #[must_use]
    pub fn delete(self, path: RepoPath) -> Self {
        self.file(path, FileChange::Delete)
    }

    /// Checks the whole.
    ///
    /// # Errors
    /// [`ChangeSetError`] if it has no files, names a path twice or as file and folder, or if the message is empty, longer
    /// than [`ChangeSet::MAX_MESSAGE_BYTES`] or holds NUL.
    pub fn build(self) -> Result<ChangeSet, ChangeSetError> {
        let Self { files: listed, message, context } = self;
        if message.trim().is_empty() {
            return Err(ChangeSetError::Message("is empty; say what the change is for"));
        }
        if message.len() > ChangeSet::MAX_MESSAGE_BYTES {
            return Err(ChangeSetError::Message("is longer than 65,536 bytes"));
        }
        if message.contains('\0') {
            return Err(ChangeSetError::Message("holds a NUL character, which git refuses"));
        }
        let mut files = BTreeMap::new();
        for (path, change) in listed {
            if files.contains_key(&path) {
                return Err(ChangeSetError::Twice(path));
            }
            files.insert(path, change);
        }
        if files.is_empty() {
            return Err(ChangeSetError::Empty);
        }
        check_folders(&files)?;
        Ok(ChangeSet { files, message, context })
    }
}

/// A path below a deleted file is legal (the file becomes a folder); below a written one it is not.
fn check_folders(files: &BTreeMap<RepoPath, FileChange>) -> Result<(), ChangeSetError> {
    let written = files.iter().filter(|(_, change)| matches!(change, FileChange::Write { .. }));
    let mut written: Vec<&RepoPath> = written.map(|(path, _)| path).collect();
    // Part by part, so that whatever lies below a file comes right behind it.
    written.sort_by(|one, other| one.as_str().split('/').cmp(other.as_str().split('/')));
    for pair in written.windows(2) {
        let (file, below) = (pair[0], pair[1]);
        if below.as_str().strip_prefix(file.as_str()).is_some_and(|rest| rest.starts_with('/')) {
            return Err(ChangeSetError::FileAndFolder { file: file.clone(), below: below.clone() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ToolName;

    fn path(text: &str) -> RepoPath {
        RepoPath::parse(text).unwrap()
    }

    fn builder() -> ChangeSetBuilder {
        ChangeSet::builder("say why", ExecutionContext::new(ToolName::parse("write").unwrap()))
    }

    #[test]
    fn a_change_set_names_each_file_once_and_at_least_one() {
        assert!(matches!(builder().build(), Err(ChangeSetError::Empty)));
        let twice = builder().write(path("a"), "1").delete(path("a")).build();
        assert!(matches!(twice, Err(ChangeSetError::Twice(named)) if named == path("a")));
        let both = builder().write(path("a"), "1").write(path("a/b"), "2").build();
        assert!(matches!(both, Err(ChangeSetError::FileAndFolder { .. })));
        assert!(builder().delete(path("a")).write(path("a/b"), "2").build().is_ok());
        // What sorts between them as text does not hide the one from the other.
        let between = ["a", "a b", "a-b", "a.b", "a/b/c", "a0"].map(path);
        let between = between.into_iter().fold(builder(), |builder, path| builder.write(path, "1")).build();
        assert!(matches!(between, Err(ChangeSetError::FileAndFolder { file, .. }) if file == path("a")));
        assert!(builder().write(path("a"), "1").write(path("ab/c"), "2").write(path("a.b/c"), "3").build().is_ok());
    }

    #[test]
    fn tens_of_thousands_of_files_are_a_change_set_in_a_moment() {
        let begun = std::time::Instant::now();
        let name = |number: u32| path(&format!("{}/{number:05}", "deep/".repeat(50).trim_end_matches('/')));
        let change = (0..20_000).fold(builder(), |builder, number| builder.write(name(number), "1")).build();
        assert_eq!(change.unwrap().files().len(), 20_000);
        assert!(begun.elapsed() < std::time::Duration::from_mins(1), "{:?}", begun.elapsed());
    }

    #[test]
    fn a_message_must_say_something() {
        let context = ExecutionContext::new(ToolName::parse("write").unwrap());
        for message in ["", " \n", "a\0b", &"x".repeat(ChangeSet::MAX_MESSAGE_BYTES + 1)] {
            let change = ChangeSet::builder(message, context.clone()).write(path("a"), "1").build();
            assert!(matches!(change, Err(ChangeSetError::Message(_))));
        }
    }

    proptest! {
        #[test]
        fn the_fingerprint_knows_content_and_not_order(
            files in proptest::collection::btree_map("[a-c]{1,3}", proptest::collection::vec(any::<u8>(), 0..8), 1..6),
        ) {
            let build = |files: Vec<(&String, &Vec<u8>)>| files.into_iter()
                .fold(builder(), |builder, (name, bytes)| builder.write(path(name), bytes.clone())).build().unwrap();
            let forward = build(files.iter().collect());
            let backward = build(files.iter().rev().collect());
            prop_assert_eq!(forward.fingerprint(), backward.fingerprint());
            let mut other = files.clone();
            let first = other.values_mut().next().unwrap();
            first.push(0);
            prop_assert_ne!(forward.fingerprint(), build(other.iter().collect()).fingerprint());
        }
    }
}
