//! What a rollback would change, as a unified diff.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use selfext::{FileChange, RepoPath, RollbackPlan, Selfext};

use crate::git::Git;

/// The diff from the base to what would be restored, made by git of the two sides in a folder of their own. Bytes that are no text
/// are named as binary there.
pub async fn of(selfext: &Selfext, plan: &RollbackPlan) -> Result<String> {
    let folder = tempfile::tempdir().context("no temporary folder could be made")?;
    let (before, after) = (folder.path().join("a"), folder.path().join("b"));
    for side in [&before, &after] {
        fs::create_dir(side).context("the temporary folder cannot be written")?;
    }
    for (path, change) in &plan.inverse.files {
        let old = selfext.file_on_base(&plan.base, path).await?;
        let (new, executable) = match change {
            FileChange::Write { content, executable } => (Some(content), executable.unwrap_or(false)),
            FileChange::Delete => (None, false),
        };
        // The mode on the base is not known here. Where the bytes stay, it is the mode that changes.
        let only_mode = old.as_deref().is_some_and(|old| new.is_some_and(|new| **new == *old));
        if let Some(old) = &old {
            put(&before, path, old, only_mode && !executable)?;
        }
        if let Some(new) = new {
            put(&after, path, new, executable && (only_mode || old.is_none()))?;
        }
    }
    let said = Git::in_folder(folder.path())
        // Nobody's settings change what is shown, and no program of theirs is started.
        .with("GIT_CONFIG_GLOBAL", "/dev/null")
        .with("GIT_CONFIG_NOSYSTEM", "1")
        .with("GIT_CEILING_DIRECTORIES", folder.path())
        .run_where_1_is_well([
            "diff",
            "--no-index",
            "--no-color",
            "--no-ext-diff",
            "--no-textconv",
            "--no-prefix",
            "--",
            "a",
            "b",
        ])?;
    Ok(String::from_utf8_lossy(&said).into_owned())
}

fn put(side: &Path, path: &RepoPath, bytes: &[u8], executable: bool) -> Result<()> {
    let file = side.join(path.as_str());
    let written = || {
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&file, bytes)?;
        let mode = if executable { 0o755 } else { 0o644 };
        fs::set_permissions(&file, fs::Permissions::from_mode(mode))
    };
    written().with_context(|| format!("{path} could not be written to a temporary folder"))
}
