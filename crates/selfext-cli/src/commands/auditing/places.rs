//! Where a seal goes on this machine.

use std::path::Path;

use anyhow::{Context as _, Result};
use selfext::Sealed;

use crate::git::Git;

/// A file and a repository, if either was named.
#[derive(Clone, Copy)]
pub struct Places<'a> {
    pub file: Option<&'a Path>,
    pub tag: Option<&'a Path>,
}

/// Brings the note to where whoever holds the database may not reach it.
pub fn hand_on(sealed: &Sealed, places: Places<'_>) -> Result<()> {
    if let Some(file) = places.file {
        write(file, &sealed.note)?;
    }
    if let Some(repository) = places.tag.filter(|_| sealed.is_new) {
        let tag = format!("selfext-seal/{}", sealed.checkpoint.size);
        let arguments = ["tag", "--annotate", "--cleanup=verbatim", "--file=-", tag.as_str()];
        // The tag is selfext's word, whoever's repository it stands in.
        Git::in_folder(repository)
            .with("GIT_COMMITTER_NAME", "selfext")
            .with("GIT_COMMITTER_EMAIL", "selfext@localhost")
            .run_with_input(arguments, sealed.note.as_bytes())
            .with_context(|| format!("the tag {tag} could not be made in {}", repository.display()))?;
    }
    Ok(())
}

/// Puts a whole file in the place of what was there.
fn write(file: &Path, note: &str) -> Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|draft| {
        std::fs::write(draft.path(), note)?;
        draft.as_file().sync_all()?;
        draft.persist(file).map_err(|error| error.error)
    });
    written.map(drop).with_context(|| format!("the checkpoint could not be written to {}", file.display()))
}
