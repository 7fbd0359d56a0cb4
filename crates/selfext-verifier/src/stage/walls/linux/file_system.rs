//! A file system of its own for a stage, in which only what it may read or write appears.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::super::Surroundings;
use super::step::Step;
use super::system::{self, Errno};

/// One thing to do, prepared before the fork.
#[derive(Debug)]
enum Action {
    Folder(CString),
    File(CString),
    Link {
        target: CString,
        path: CString,
    },
    /// Shows a place of the machine, with these attributes added to what it has there.
    Show {
        from: CString,
        at: CString,
        attributes: u64,
    },
    Proc(CString),
}

/// How to build it.
#[derive(Debug)]
pub(super) struct FileSystem {
    root: CString,
    actions: Vec<Action>,
}

const DEVICES: &[&str] = &["/dev/full", "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero"];
const DEVICE_LINKS: &[(&str, &str)] = &[
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
];

const READ_ONLY: u64 = libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV;
const WRITABLE: u64 = libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV;
const DEVICE: u64 = libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NOEXEC;

impl FileSystem {
    pub(super) fn plan(around: &Surroundings<'_>) -> io::Result<Self> {
        let mut plan = Plan { root: around.root, folders: BTreeSet::new(), shown: Vec::new(), actions: Vec::new() };
        // In the order of their paths, so that what holds another place comes before it.
        for place in around.readable {
            plan.show_readable(place)?;
        }
        plan.folder(Path::new("/proc"))?;
        plan.actions.push(Action::Proc(plan.inside(Path::new("/proc"))?));
        for device in DEVICES.iter().map(Path::new).filter(|device| device.exists()) {
            plan.show(device, device, DEVICE, false)?;
        }
        for (path, target) in DEVICE_LINKS {
            plan.link(Path::new(path), Path::new(target))?;
        }
        plan.show(around.shared_memory, Path::new("/dev/shm"), WRITABLE, true)?;
        // Programs that know nothing of TMPDIR get the same folder, unless it would hide what lies below.
        for common in ["/tmp", "/var/tmp"].map(Path::new) {
            let hides = |path: &Path| path.starts_with(common);
            if !around.writable().into_iter().any(hides) && !plan.shown.iter().any(|shown| hides(shown)) {
                plan.show(around.temporary, common, WRITABLE, true)?;
            }
        }
        for folder in [around.files, around.home, around.temporary] {
            plan.show(folder, folder, WRITABLE, true)?;
        }
        Ok(Self { root: text(around.root)?, actions: plan.actions })
    }

    /// Builds it and moves in. Runs between fork and exec, as the first process of its process ids.
    pub(super) fn enter(&self) -> Result<(), (Step, Errno)> {
        let building = |error| (Step::FileSystem, error);
        system::mount(None, c"/", None, libc::MS_REC | libc::MS_PRIVATE, None).map_err(building)?;
        let flags = libc::MS_NOSUID | libc::MS_NODEV;
        let options = Some(c"mode=0755,size=1m,nr_inodes=4096");
        system::mount(Some(c"selfext"), &self.root, Some(c"tmpfs"), flags, options).map_err(building)?;
        for action in &self.actions {
            match action {
                Action::Folder(path) => system::make_folder(path).map_err(building)?,
                Action::File(path) => system::make_file(path).map_err(building)?,
                Action::Link { target, path } => system::make_link(target, path).map_err(building)?,
                Action::Show { from, at, attributes } => {
                    system::mount(Some(from), at, None, libc::MS_BIND | libc::MS_REC, None).map_err(building)?;
                    system::add_mount_attributes(at, *attributes).map_err(building)?;
                }
                Action::Proc(at) => {
                    // Root's files in there, such as the kernel's settings, ask for no capability: they must not be written.
                    let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC | libc::MS_RDONLY;
                    system::mount(Some(c"proc"), at, Some(c"proc"), flags, None)
                        .map_err(|error| (Step::Proc, error))?;
                }
            }
        }
        system::become_root(&self.root).map_err(|error| (Step::Root, error))?;
        let flags = libc::MS_REMOUNT | libc::MS_BIND | libc::MS_RDONLY | libc::MS_NOSUID | libc::MS_NODEV;
        system::mount(None, c"/", None, flags, None).map_err(|error| (Step::Root, error))
    }
}

struct Plan<'a> {
    root: &'a Path,
    folders: BTreeSet<PathBuf>,
    shown: Vec<PathBuf>,
    actions: Vec<Action>,
}

impl Plan<'_> {
    fn inside(&self, path: &Path) -> io::Result<CString> {
        text(&self.root.join(path.strip_prefix("/").unwrap_or(path)))
    }

    fn covered(&self, path: &Path) -> bool {
        self.shown.iter().any(|shown| path.starts_with(shown))
    }

    /// The folders down to a path.
    fn folder(&mut self, path: &Path) -> io::Result<()> {
        let mut above: Vec<&Path> = path.ancestors().filter(|above| above.parent().is_some()).collect();
        above.reverse();
        for folder in above {
            if !self.covered(folder) && self.folders.insert(folder.to_owned()) {
                self.actions.push(Action::Folder(self.inside(folder)?));
            }
        }
        Ok(())
    }

    fn show_readable(&mut self, place: &Path) -> io::Result<()> {
        let Ok(real) = place.canonicalize() else { return Ok(()) };
        if fs::symlink_metadata(place)?.is_symlink() {
            if self.covered(place) {
                return Ok(());
            }
            self.link(place, &fs::read_link(place)?)?;
        } else if !self.covered(place) {
            self.show(place, place, READ_ONLY, real.is_dir())?;
        }
        // Where a link on the way led elsewhere, programs may ask for the place by its real path.
        if real != place && !self.covered(&real) && real.parent().is_some() {
            self.show(&real, &real, READ_ONLY, real.is_dir())?;
        }
        Ok(())
    }

    fn show(&mut self, from: &Path, at: &Path, attributes: u64, is_folder: bool) -> io::Result<()> {
        if is_folder {
            self.folder(at)?;
        } else {
            self.folder(at.parent().unwrap_or(at))?;
            self.actions.push(Action::File(self.inside(at)?));
        }
        self.actions.push(Action::Show { from: text(from)?, at: self.inside(at)?, attributes });
        self.shown.push(at.to_owned());
        Ok(())
    }

    fn link(&mut self, path: &Path, target: &Path) -> io::Result<()> {
        self.folder(path.parent().unwrap_or(path))?;
        self.actions.push(Action::Link { target: text(target)?, path: self.inside(path)? });
        Ok(())
    }
}

pub(super) fn text(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}
