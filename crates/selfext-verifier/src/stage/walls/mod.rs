//! The walls around a stage's processes.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;
mod places;
mod record;

use std::path::{Path, PathBuf};

#[cfg(target_os = "linux")]
pub(crate) use linux::{Guarded, Machine};
#[cfg(not(target_os = "linux"))]
pub(crate) use other::{Guarded, Machine};
pub(crate) use places::ReadPlaces;
pub(crate) use record::Ended;

/// The folders of one run, and what else its stages may read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings<'a> {
    pub(crate) files: &'a Path,
    pub(crate) home: &'a Path,
    pub(crate) temporary: &'a Path,
    /// What stands at `/dev/shm` where a stage has a file system of its own.
    pub(crate) shared_memory: &'a Path,
    /// An empty folder on which that file system is put together.
    pub(crate) root: &'a Path,
    pub(crate) readable: &'a [PathBuf],
}

impl<'a> Surroundings<'a> {
    /// The folders that a stage may write in.
    pub(crate) fn writable(&self) -> [&'a Path; 4] {
        [self.files, self.home, self.temporary, self.shared_memory]
    }
}
