//! Copying a tree of files as it is.

use std::collections::HashMap;
use std::fs::{self, File, FileTimes, Metadata, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Copies a file, a link or a folder with everything in it to a place where nothing is. Links are copied, not followed; files that
/// share their content go on to share it among each other. Rights and times are kept; other kinds of files, such as sockets, are
/// left out. On file systems that can, contents are shared until somebody writes.
pub(super) fn copy(from: &Path, to: &Path, stop: &AtomicBool) -> io::Result<()> {
    let mut copying = Copying { shared: HashMap::new(), folders: Vec::new(), stop };
    copying.entry(from, to)?;
    copying.run()
}

/// The same for everything in a folder, into a folder that is there and empty.
pub(super) fn copy_inside(from: &Path, to: &Path, stop: &AtomicBool) -> io::Result<()> {
    let mut copying = Copying { shared: HashMap::new(), folders: Vec::new(), stop };
    copying.folders.push(Folder { from: from.to_owned(), to: to.to_owned(), about: None });
    copying.run()
}

struct Copying<'a> {
    /// The copies of files that have more than one name, by device and number.
    shared: HashMap<(u64, u64), PathBuf>,
    folders: Vec<Folder>,
    stop: &'a AtomicBool,
}

struct Folder {
    from: PathBuf,
    to: PathBuf,
    /// The rights and times that it gets once it is full; none if it keeps its own.
    about: Option<Metadata>,
}

impl Copying<'_> {
    fn run(mut self) -> io::Result<()> {
        let mut full = Vec::new();
        while let Some(folder) = self.folders.pop() {
            for entry in fs::read_dir(&folder.from)? {
                let entry = entry?;
                self.entry(&entry.path(), &folder.to.join(entry.file_name()))?;
            }
            full.push(folder);
        }
        // The inner ones first: a folder that may not be written in may be in another.
        for folder in full.iter().rev() {
            if let Some(about) = &folder.about {
                let opened = File::open(&folder.to)?;
                opened.set_times(times(about)?)?;
                opened.set_permissions(rights(about))?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(ErrorKind::Interrupted.into());
        }
        let about = fs::symlink_metadata(from)?;
        if about.is_dir() {
            fs::DirBuilder::new().mode(0o700).create(to)?;
            self.folders.push(Folder { from: from.to_owned(), to: to.to_owned(), about: Some(about) });
        } else if about.is_symlink() {
            symlink(fs::read_link(from)?, to)?;
        } else if about.is_file() {
            self.file(from, to, &about)?;
        }
        Ok(())
    }

    fn file(&mut self, from: &Path, to: &Path, about: &Metadata) -> io::Result<()> {
        if about.nlink() > 1 {
            let key = (about.dev(), about.ino());
            if let Some(copied) = self.shared.get(&key) {
                return fs::hard_link(copied, to);
            }
            self.shared.insert(key, to.to_owned());
        }
        // Made anew, so that nothing that is there already is written through.
        let mut copied = File::create_new(to)?;
        io::copy(&mut File::open(from)?, &mut copied)?;
        copied.set_times(times(about)?)?;
        copied.set_permissions(rights(about))
    }
}

fn times(about: &Metadata) -> io::Result<FileTimes> {
    Ok(FileTimes::new().set_modified(about.modified()?).set_accessed(about.accessed()?))
}

/// Without what makes a program run with its owner's rights.
fn rights(about: &Metadata) -> Permissions {
    Permissions::from_mode(about.mode() & 0o777)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_tree_is_copied_with_its_rights_times_and_links() {
        let place = tempfile::tempdir().unwrap();
        let (from, to) = (place.path().join("from"), place.path().join("to"));
        fs::create_dir_all(from.join("read-only/deep")).unwrap();
        fs::write(from.join("read-only/deep/program"), "x").unwrap();
        fs::set_permissions(from.join("read-only/deep/program"), Permissions::from_mode(0o6755)).unwrap();
        fs::hard_link(from.join("read-only/deep/program"), from.join("again")).unwrap();
        symlink("/no/such/place", from.join("link")).unwrap();
        let _socket = UnixListener::bind(from.join("socket")).unwrap();
        let old = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        File::open(from.join("again")).unwrap().set_modified(old).unwrap();
        fs::set_permissions(from.join("read-only"), Permissions::from_mode(0o555)).unwrap();

        copy(&from, &to, &AtomicBool::new(false)).unwrap();

        let about = |name: &str| fs::symlink_metadata(to.join(name)).unwrap();
        assert_eq!(about("read-only").mode() & 0o7777, 0o555);
        assert_eq!(about("read-only/deep/program").mode() & 0o7777, 0o755);
        assert_eq!(about("again").modified().unwrap(), old);
        assert_eq!((about("again").ino(), about("again").nlink()), (about("read-only/deep/program").ino(), 2));
        assert_ne!(about("again").ino(), fs::symlink_metadata(from.join("again")).unwrap().ino());
        assert_eq!(fs::read_link(to.join("link")).unwrap(), Path::new("/no/such/place"));
        assert!(!to.join("socket").exists());
        fs::set_permissions(from.join("read-only"), Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(to.join("read-only"), Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn nothing_that_is_there_is_written_through() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        fs::write(at("from"), "new").unwrap();
        fs::write(at("outside"), "old").unwrap();
        symlink(at("outside"), at("to")).unwrap();
        let refused = copy(&at("from"), &at("to"), &AtomicBool::new(false)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(at("outside")).unwrap(), "old");
    }

    #[test]
    fn it_stops_when_it_is_told_to() {
        let place = tempfile::tempdir().unwrap();
        let stopped = copy(place.path(), &place.path().join("to"), &AtomicBool::new(true)).unwrap_err();
        assert_eq!(stopped.kind(), ErrorKind::Interrupted);
    }
}
