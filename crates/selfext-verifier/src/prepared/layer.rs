//! What one stage prepared, with all that the stages before it did.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use selfext_domain::{RepoPath, StageReport};
use serde::{Deserialize, Serialize};

use super::copy::{copy, copy_inside};

const ABOUT: &str = "about.json";
const HOME: &str = "home";
const KEPT: &str = "kept";

/// What is known of it. The file is there exactly where all the rest is.
#[derive(Debug, Serialize, Deserialize)]
struct About {
    /// How preparing went.
    report: StageReport,
    /// What of the worktree is kept, in the order of the folders that hold it.
    kept: Vec<RepoPath>,
}

/// Prepared dependencies, which stay as long as the value.
#[derive(Debug)]
pub(crate) struct Layer {
    folder: PathBuf,
    about: About,
    /// Shared by all who use it.
    _lock: File,
}

/// A path of the worktree that is taken, so that nothing that was prepared can stand there.
#[derive(Debug)]
pub(crate) struct InTheWay(pub(crate) String);

impl InTheWay {
    /// What is wrong, for whoever wrote the rules.
    pub(crate) fn words(&self) -> String {
        format!("{} is in the way of what on_base.keep names; name what git does not track", self.0)
    }
}

impl Layer {
    /// Reads what is known of a layer; `None` if there is none, or half of one.
    pub(super) fn open(folder: PathBuf, lock: File) -> Option<Self> {
        let about = read(&folder)?;
        touch(&folder);
        Some(Self { folder, about, _lock: lock })
    }

    pub(crate) const fn report(&self) -> &StageReport {
        &self.about.report
    }

    pub(crate) fn kept(&self) -> &[RepoPath] {
        &self.about.kept
    }

    /// Copies it into a run's worktree and home. Blocks for as long as that takes.
    pub(crate) fn restore(&self, worktree: &Path, home: &Path, stop: &AtomicBool) -> io::Result<Result<(), InTheWay>> {
        if let Err(in_the_way) = all_free(worktree, self.kept()) {
            return Ok(Err(in_the_way));
        }
        copy_inside(&self.folder.join(HOME), home, stop)?;
        for (number, path) in self.about.kept.iter().enumerate() {
            let from = self.folder.join(KEPT).join(number.to_string());
            match fs::symlink_metadata(&from) {
                Ok(_) => {}
                // The stage left nothing there.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            }
            let to = worktree.join(path.as_str());
            DirBuilder::new().recursive(true).mode(0o755).create(to.parent().unwrap_or(worktree))?;
            copy(&from, &to, stop)?;
        }
        Ok(Ok(()))
    }
}

fn read(folder: &Path) -> Option<About> {
    serde_json::from_slice(&fs::read(folder.join(ABOUT)).ok()?).ok()
}

/// Whether a folder is a layer.
pub(super) fn is_whole(folder: &Path) -> bool {
    read(folder).is_some()
}

/// Makes a layer none.
pub(super) fn spoil(folder: &Path) -> io::Result<()> {
    fs::remove_file(folder.join(ABOUT))
}

/// Whether nothing stands at these paths of a worktree, and nothing but folders above them.
pub(crate) fn all_free(worktree: &Path, paths: &[RepoPath]) -> Result<(), InTheWay> {
    for path in paths {
        let taken = |part: &str| fs::symlink_metadata(worktree.join(part));
        if let Some(above) = path.ancestors().find(|above| taken(above).is_ok_and(|about| !about.is_dir())) {
            return Err(InTheWay(above.to_owned()));
        }
        if taken(path.as_str()).is_ok() {
            return Err(InTheWay(path.as_str().to_owned()));
        }
    }
    Ok(())
}

/// Moves what a stage left in a worktree and a home into a folder, so that it is a layer.
pub(super) fn gather(
    into: &Path,
    worktree: &Path,
    home: &Path,
    kept: Vec<RepoPath>,
    report: StageReport,
) -> io::Result<()> {
    fs::create_dir(into.join(KEPT))?;
    fs::rename(home, into.join(HOME))?;
    for (number, path) in kept.iter().enumerate() {
        // A link on the way would lead out of the worktree.
        let leads_away = |above: &str| fs::symlink_metadata(worktree.join(above)).is_ok_and(|about| about.is_symlink());
        if path.ancestors().any(leads_away) {
            continue;
        }
        match fs::rename(worktree.join(path.as_str()), into.join(KEPT).join(number.to_string())) {
            Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Err(error),
            _ => {}
        }
    }
    let about = serde_json::to_vec(&About { report, kept })?;
    fs::write(into.join(ABOUT), about)?;
    write_through(into)
}

/// Has everything on the disk before a layer gets its name, so that a power cut leaves all of it or nothing.
fn write_through(folder: &Path) -> io::Result<()> {
    let folder = File::open(folder)?;
    #[cfg(target_os = "linux")]
    rustix::fs::syncfs(&folder)?;
    #[cfg(not(target_os = "linux"))]
    rustix::fs::sync();
    drop(folder);
    Ok(())
}

/// When it was used last, for those who look for room.
pub(super) fn used(folder: &Path) -> io::Result<std::time::SystemTime> {
    fs::metadata(folder.join(ABOUT))?.modified()
}

/// Marks it as used now. That it cannot be marked only makes it look older.
fn touch(folder: &Path) {
    use rustix::fs::{Timespec, Timestamps, UTIME_NOW, futimens};
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    if let Ok(about) = File::options().write(true).open(folder.join(ABOUT)) {
        let _ = futimens(&about, &Timestamps { last_access: now, last_modification: now });
    }
}
