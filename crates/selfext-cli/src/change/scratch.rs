//! A private index and object folder, in which git finds out what a change would commit. The repository, its index and its
//! worktree are left as they are.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use selfext::{FileChange, RepoPath};
use tempfile::TempDir;

use super::Changes;
use crate::exit::usage;
use crate::git::{Git, RawEntry, parse_blobs, parse_raw};
use crate::local::BaseFiles;

/// Where git works; gone when this is dropped.
pub struct Scratch {
    _folder: TempDir,
    index: PathBuf,
    top: PathBuf,
    git: Git,
}

impl Scratch {
    /// For the repository that a folder is in.
    pub fn of(folder: &Path) -> Result<Self> {
        let here = Git::in_folder(folder);
        let objects = Path::new(&here.place("--git-common-dir", &folder.display().to_string())?).join("objects");
        if here.run(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]).is_err() {
            return Err(usage(format!(
                "{} has no commit checked out to compare with; make one first",
                folder.display()
            )));
        }
        let bare = here.line(["rev-parse", "--is-bare-repository"])? == "true";
        let top = if bare { folder.to_owned() } else { here.line(["rev-parse", "--show-toplevel"])?.into() };
        let scratch = tempfile::tempdir().context("no temporary folder could be made")?;
        let (index, own) = (scratch.path().join("index"), scratch.path().join("objects"));
        std::fs::create_dir(&own).context("no temporary folder could be made")?;
        let git = Git::in_folder(&top)
            .with("GIT_INDEX_FILE", &index)
            .with("GIT_OBJECT_DIRECTORY", own)
            .with("GIT_ALTERNATE_OBJECT_DIRECTORIES", as_alternate(objects.into()));
        Ok(Self { _folder: scratch, index, top, git })
    }

    /// Takes in the worktree as `git add --all` would.
    pub fn add_worktree(&self) -> Result<()> {
        let here = Git::in_folder(&self.top);
        let unmerged = here.run(["diff", "--name-only", "--diff-filter=U", "-z"])?;
        if let Some(path) = unmerged.split(|byte| *byte == 0).find(|path| !path.is_empty()) {
            let path = String::from_utf8_lossy(path);
            return Err(usage(format!("{path} is in the middle of a merge; resolve that first")));
        }
        // With the index that the worktree has, files that it knows to be unchanged are not read again.
        let theirs = PathBuf::from(here.line(["rev-parse", "--path-format=absolute", "--git-path", "index"])?);
        if theirs.exists() {
            std::fs::copy(&theirs, &self.index).with_context(|| format!("{} could not be read", theirs.display()))?;
        }
        self.git.run(["add", "--all"]).map(drop)
    }

    /// Takes in a patch, on top of the commit that is checked out.
    pub fn apply(&self, patch: &[u8], shown: &Path) -> Result<()> {
        self.git.run(["read-tree", "HEAD"])?;
        let applied = self.git.run_with_input(["apply", "--cached", "--whitespace=nowarn", "-"], patch);
        applied.map(drop).with_context(|| format!("the patch {} does not apply", shown.display()))
    }

    /// What was taken in, against the commit that is checked out.
    pub fn changes(&self, base: Option<&BaseFiles>) -> Result<Changes> {
        let options = ["--cached", "--raw", "-z", "--no-renames", "--no-abbrev", "--ignore-submodules=none"];
        let raw = self.git.run(["diff-index"].into_iter().chain(options).chain(["HEAD"]))?;
        let mut entries = Vec::new();
        for entry in parse_raw(&raw)? {
            entries.push((repo_path(&entry.path)?, entry));
        }
        for (path, entry) in &entries {
            check_regular(path, entry)?;
        }
        if let Some(base) = base {
            base.check_unchanged(&entries)?;
        }
        let objects: String = entries
            .iter()
            .filter(|(_, entry)| !entry.is_deleted())
            .flat_map(|(_, entry)| [entry.new_object.as_str(), "\n"])
            .collect();
        let mut contents =
            parse_blobs(&self.git.run_with_input(["cat-file", "--batch"], objects.as_bytes())?)?.into_iter();
        let mut changes = Changes::new();
        for (path, entry) in entries {
            let change = if entry.is_deleted() {
                FileChange::Delete
            } else {
                let content = contents.next().context("git left a file out")?;
                FileChange::Write { content: Arc::from(content), executable: executable(&entry) }
            };
            changes.push((path, change));
        }
        Ok(changes)
    }
}

/// The executable bit, where the change says anything of it.
fn executable(entry: &RawEntry) -> Option<bool> {
    match (entry.old_mode.as_str(), entry.new_mode.as_str()) {
        (_, "100755") => Some(true),
        ("100755", _) => Some(false),
        _ => None,
    }
}

/// Only regular files can be promoted.
fn check_regular(path: &RepoPath, entry: &RawEntry) -> Result<()> {
    let what = match entry.new_mode.as_str() {
        "100644" | "100755" => return Ok(()),
        _ if entry.is_deleted() => return Ok(()),
        "120000" => "a symbolic link",
        "160000" => "a repository of its own, or a submodule",
        _ => "of a kind that is not known",
    };
    Err(usage(format!("{path} is {what}; a change set holds regular files only")))
}

fn repo_path(bytes: &[u8]) -> Result<RepoPath> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| usage(format!("the path {:?} is not UTF-8", String::from_utf8_lossy(bytes))))?;
    RepoPath::parse(text).map_err(|error| usage(error.to_string()))
}

/// A folder as git reads it from a list that is separated by colons.
fn as_alternate(folder: OsString) -> OsString {
    let bytes = folder.as_encoded_bytes();
    if !bytes.contains(&b':') && bytes.first() != Some(&b'"') {
        return folder;
    }
    let mut quoted = OsString::from("\"");
    quoted.push(OsStr::new(&folder.to_string_lossy().replace('\\', r"\\").replace('"', "\\\"")));
    quoted.push("\"");
    quoted
}
