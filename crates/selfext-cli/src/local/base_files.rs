//! What the base branch holds, for changes that were made on another commit.

use std::fmt::Write as _;

use anyhow::Result;
use selfext::RepoPath;

use super::Repository;
use crate::exit::usage;
use crate::git::RawEntry;

/// The files of a repository's base branch.
pub struct BaseFiles<'a> {
    repository: &'a Repository,
}

impl<'a> BaseFiles<'a> {
    pub(super) const fn new(repository: &'a Repository) -> Self {
        Self { repository }
    }

    /// A change set says what files hold. If a file of it is another one on the base than on the commit that the change was
    /// made on, landing it would undo what others did there.
    ///
    /// # Errors
    /// A usage error that names such files.
    pub fn check_unchanged(&self, entries: &[(RepoPath, RawEntry)]) -> Result<()> {
        let base = self.repository.base_ref();
        let mut asked = String::new();
        for (path, _) in entries {
            // Writing to a string cannot fail.
            let _ = writeln!(asked, "{base}:{path}");
        }
        let answers =
            self.repository.git().run_with_input(["cat-file", "--batch-check=%(objectname)"], asked.as_bytes())?;
        let answers = String::from_utf8_lossy(&answers);
        let mut others = Vec::new();
        for ((path, entry), answer) in entries.iter().zip(answers.lines()) {
            let on_base = if answer.ends_with(" missing") { None } else { Some(answer) };
            let before = Some(entry.old_object.as_str()).filter(|_| !entry.is_added());
            let after = Some(entry.new_object.as_str()).filter(|_| !entry.is_deleted());
            if on_base != before && on_base != after {
                others.push(path.as_str());
            }
        }
        if others.is_empty() {
            return Ok(());
        }
        Err(usage(format!(
            "{} was changed on {} since the commit that is checked out, and landing this change would undo that; bring the checkout up \
             to {1} first",
            others.join(", "),
            self.repository.base
        )))
    }
}
