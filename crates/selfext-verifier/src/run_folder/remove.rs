//! Removing folders that hostile code has filled.

use std::collections::hash_map::RandomState;
use std::fs::{self, Permissions};
use std::hash::BuildHasher as _;
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often a folder is gone through again because processes that are just dying still made files in it.
const PASSES: usize = 200;
const PAUSE: Duration = Duration::from_millis(10);

/// Removes a folder with everything in it, whatever its depth and rights; links are not followed. That it is gone already is
/// no error.
pub(super) fn remove_tree(root: &Path) -> io::Result<()> {
    let mut problem = None;
    for _ in 0..PASSES {
        match pass(root) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => {
                problem = Some(error);
                std::thread::sleep(PAUSE);
            }
            Err(error) => return Err(error),
        }
    }
    problem.map_or(Ok(()), Err)
}

/// Goes through everything once. Folders are first moved up to the root, so that no path grows long, no stack grows deep and
/// no descriptor stays open, however deep the tree is.
fn pass(root: &Path) -> io::Result<()> {
    let mut problem = Ok(());
    let mut names = Names { root, salt: RandomState::new().hash_one(root), next: 0 };
    let mut folders = match take_apart(root, None) {
        Ok(folders) => folders,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    while let Some(folder) = folders.pop() {
        let taken = take_apart(&folder, Some(&mut names))
            .map(|inner| folders.extend(inner))
            .and_then(|()| fs::remove_dir(&folder));
        problem = problem.and(unless_gone(taken));
    }
    problem.and(unless_gone(fs::remove_dir(root)))
}

/// Removes the files of a folder and answers the folders in it, moved up if there are names for that.
fn take_apart(folder: &Path, mut names: Option<&mut Names<'_>>) -> io::Result<Vec<PathBuf>> {
    open_up(folder)?;
    let mut folders = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if !entry.file_type()?.is_dir() {
            unless_gone(fs::remove_file(&path))?;
        } else if let Some(names) = &mut names {
            // Moving a folder changes its `..`, for which it must be writable.
            open_up(&path)?;
            let up = names.next();
            fs::rename(&path, &up)?;
            folders.push(up);
        } else {
            folders.push(path);
        }
    }
    Ok(folders)
}

/// Gives us all rights on a folder of ours.
fn open_up(folder: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(folder)?;
    if found.is_dir() && found.permissions().mode() & 0o700 != 0o700 {
        fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    }
    Ok(())
}

fn unless_gone(result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

/// Names at the root that nobody could have taken before.
struct Names<'a> {
    root: &'a Path,
    salt: u64,
    next: u64,
}

impl Names<'_> {
    fn next(&mut self) -> PathBuf {
        self.next += 1;
        self.root.join(format!(".gone-{:016x}-{}", self.salt, self.next))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn read_only_folders_and_links_are_removed_and_their_targets_are_not() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("keep"), "x").unwrap();
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("root");
        let inner = root.join("a/b/c");
        fs::create_dir_all(&inner).unwrap();
        fs::write(inner.join("file"), "x").unwrap();
        symlink(outside.path(), inner.join("link")).unwrap();
        symlink(outside.path(), root.join("link")).unwrap();
        for folder in [&inner, &root.join("a/b"), &root.join("a")] {
            fs::set_permissions(folder, Permissions::from_mode(0o000)).unwrap();
        }
        remove_tree(&root).unwrap();
        assert!(!root.exists() && outside.path().join("keep").exists());
        remove_tree(&root).unwrap();
    }

    #[test]
    fn a_tree_deeper_than_any_path_may_be_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("root");
        fs::create_dir(&root).unwrap();
        // Grown at the top, since a path to the bottom would be too long.
        let (below, above) = (root.join("below"), root.join("above"));
        fs::create_dir(&below).unwrap();
        for _ in 0..3_000 {
            fs::create_dir(&above).unwrap();
            fs::rename(&below, above.join("inner")).unwrap();
            fs::rename(&above, &below).unwrap();
        }
        remove_tree(&root).unwrap();
        assert!(!root.exists());
    }
}
