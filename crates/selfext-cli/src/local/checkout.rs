//! A checkout of the base branch, which a merge moves forward under it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::Repository;
use crate::git::{Git, RawEntry, parse_raw};
use crate::show;

/// Files of a checkout that could not follow.
#[derive(Debug, thiserror::Error)]
#[error(
    "{place} has changes of its own in the way, so its files were left as they are. Not as landed: {files}.\nFor each, `git diff HEAD -- \
     FILE` shows the difference, and `git restore --source=HEAD --staged --worktree FILE` takes what landed."
)]
pub struct InTheWay {
    place: String,
    files: String,
}

/// Brings a checkout of the base branch to what landed, if there is one at the commit that landed.
///
/// # Errors
/// [`InTheWay`]: something there has changes of its own. They stay as they are, and the rest does too.
pub fn follow(repository: &Repository, landed: &str) -> Result<(), InTheWay> {
    let Ok(Some(place)) = find(repository) else { return Ok(()) };
    let git = Git::in_folder(&place);
    let at_landed = git.line(["rev-parse", "HEAD"]).is_ok_and(|head| head == landed);
    if !at_landed || bring(&git, &place, landed).is_ok() {
        return Ok(());
    }
    let left = files_left(&git, &place, landed).unwrap_or_default();
    let files = if left.is_empty() { "its index".to_owned() } else { show::clean_line(&left.join(", ")) };
    Err(InTheWay { place: place.display().to_string(), files })
}

/// The worktree that has the base branch checked out.
fn find(repository: &Repository) -> Result<Option<PathBuf>> {
    use std::os::unix::ffi::OsStringExt as _;

    let list = repository.git().run(["worktree", "list", "--porcelain", "-z"])?;
    let wanted = format!("branch {}", repository.base_ref());
    let mut place = None;
    for field in list.split(|byte| *byte == 0) {
        if let Some(path) = field.strip_prefix(b"worktree ") {
            place = Some(PathBuf::from(std::ffi::OsString::from_vec(path.to_vec())));
        } else if field == wanted.as_bytes() {
            return Ok(place.filter(|place| place.is_dir()));
        }
    }
    Ok(None)
}

/// Lets git update what stands as it was before; git refuses the whole if anything else is in the way.
fn bring(git: &Git, place: &Path, landed: &str) -> Result<()> {
    let before = format!("{landed}^1");
    let mut there = Vec::new();
    for entry in equal_files(git, place, &before, landed)? {
        let mode = if entry.is_deleted() { "0" } else { entry.new_mode.as_str() };
        there.extend_from_slice(format!("{mode} {}\t", entry.new_object).as_bytes());
        there.extend_from_slice(&entry.path);
        there.push(0);
    }
    git.run_with_input(["update-index", "-z", "--index-info"], &there)?;
    git.run(["read-tree", "-m", "-u", &before, landed]).map(drop)
}

/// The files that landed, that the index has as they were before, and that the worktree holds as they landed: whoever promotes
/// the changes of this very worktree has them there. The index alone is behind.
fn equal_files(git: &Git, place: &Path, before: &str, landed: &str) -> Result<Vec<RawEntry>> {
    let touched = git.run(["diff-index", "--cached", "--name-only", "-z", "--no-renames", before])?;
    let touched: Vec<&[u8]> = touched.split(|byte| *byte == 0).collect();
    let mut entries = differences(git, before, landed)?;
    entries.retain(|entry| !touched.contains(&&entry.path[..]));
    let equal = which_are_as_landed(git, place, &entries)?;
    let mut equal = equal.into_iter();
    entries.retain(|_| equal.next().unwrap_or(false));
    Ok(entries)
}

/// The files of the worktree that are not as they landed.
fn files_left(git: &Git, place: &Path, landed: &str) -> Result<Vec<String>> {
    let entries = differences(git, &format!("{landed}^1"), landed)?;
    let equal = which_are_as_landed(git, place, &entries)?;
    let left = entries.iter().zip(equal).filter(|(_, equal)| !equal);
    Ok(left.map(|(entry, _)| String::from_utf8_lossy(&entry.path).into_owned()).collect())
}

fn differences(git: &Git, before: &str, landed: &str) -> Result<Vec<RawEntry>> {
    parse_raw(&git.run(["diff-tree", "-r", "--raw", "-z", "--no-renames", "--no-abbrev", before, landed])?)
}

/// Says of each file whether the worktree holds it as it landed.
fn which_are_as_landed(git: &Git, place: &Path, entries: &[RawEntry]) -> Result<Vec<bool>> {
    use std::os::unix::fs::PermissionsExt as _;

    let on_disk = |entry: &RawEntry| std::fs::symlink_metadata(place.join(&*String::from_utf8_lossy(&entry.path)));
    let mut equal = Vec::new();
    let mut hashed = String::new();
    for entry in entries {
        let looks_right = match on_disk(entry) {
            Ok(data) => {
                let executable = data.permissions().mode() & 0o100 != 0;
                data.is_file() && !entry.is_deleted() && executable == (entry.new_mode == "100755")
            }
            Err(_) => entry.is_deleted(),
        };
        if looks_right && !entry.is_deleted() {
            hashed.push_str(&String::from_utf8_lossy(&entry.path));
            hashed.push('\n');
        }
        equal.push(looks_right);
    }
    let hashes = git.run_with_input(["hash-object", "--stdin-paths"], hashed.as_bytes())?;
    let hashes = String::from_utf8_lossy(&hashes);
    let mut hashes = hashes.lines();
    for (entry, equal) in entries.iter().zip(&mut equal) {
        if *equal && !entry.is_deleted() {
            *equal = hashes.next().context("git left a file out")? == entry.new_object;
        }
    }
    Ok(equal)
}
