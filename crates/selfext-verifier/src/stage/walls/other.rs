//! Where there is nothing but what every Unix system has: sessions, process groups and resource limits.
#![expect(unsafe_code, reason = "only code that runs between fork and exec can do this, and std has that as unsafe")]

use std::fs;
use std::io::{self, PipeWriter};
use std::os::fd::{BorrowedFd, RawFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::io::{Errno, FdFlags, fcntl_setfd};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, setsid};
use selfext_domain::{Limit, Mechanism, StageRules, Wall, WallReport, WallState};

use super::{Ended, Surroundings};

/// What this machine offers.
#[derive(Clone, Debug)]
pub(crate) struct Machine;

/// Nothing has to be held here.
#[derive(Debug)]
pub(crate) struct Guarded;

impl Machine {
    pub(crate) fn probe(_: &Surroundings<'_>) -> Self {
        Self
    }

    pub(crate) fn without(self, _: bool, _: bool, _: bool) -> Self {
        self
    }

    pub(crate) fn walls(&self, stage: &StageRules) -> Vec<WallReport> {
        let missing = |why: &str| WallState::Missing { why: why.to_owned() };
        let network =
            if stage.network { WallState::Opened } else { missing("selfext knows no means for it on this system") };
        [
            (Wall::Environment, WallState::Stood { by: vec![Mechanism::Cleared] }),
            (Wall::Files, missing("selfext knows no means for it on this system")),
            (Wall::Network, network),
            (Wall::Processes, missing("what leaves its process group is not ended on this system")),
            (Wall::Neighbours, missing("selfext knows no means for it on this system")),
            (Wall::Limits, missing("the number of processes counts for the whole user on this system")),
        ]
        .map(|(wall, state)| WallReport { wall, state })
        .into()
    }

    pub(crate) fn guard(
        &self,
        command: &mut Command,
        stage: &StageRules,
        around: &Surroundings<'_>,
    ) -> io::Result<Guarded> {
        command.current_dir(around.files);
        let descriptors = open_descriptors()?;
        let limits = [
            (Resource::Cpu, stage.limits.cpu_seconds),
            (Resource::Fsize, stage.limits.file_bytes),
            (Resource::Nofile, stage.limits.open_files),
            (Resource::Core, 0),
        ];
        let walls = move || {
            setsid()?;
            for (resource, most) in limits {
                let hard = getrlimit(resource).maximum.map_or(most, |now| now.min(most));
                setrlimit(resource, Rlimit { current: Some(hard), maximum: Some(hard) })?;
            }
            for descriptor in &descriptors {
                // SAFETY: the number is only handed to fcntl, which answers EBADF if nothing is open there.
                let descriptor = unsafe { BorrowedFd::borrow_raw(*descriptor) };
                match fcntl_setfd(descriptor, FdFlags::CLOEXEC) {
                    Ok(()) | Err(Errno::BADF) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(())
        };
        // SAFETY: the closure runs in the child after fork, when another thread may have held any lock. It makes system calls
        // alone: it allocates nothing, frees nothing and takes no lock.
        unsafe {
            command.pre_exec(walls);
        }
        Ok(Guarded)
    }
}

/// The numbers of this process's open descriptors, without the first three.
fn open_descriptors() -> io::Result<Vec<RawFd>> {
    let entries = fs::read_dir("/dev/fd")?;
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<RawFd>().ok());
    Ok(numbers.filter(|number| *number > 2).collect())
}

impl Guarded {
    pub(crate) fn take_lifeline(&mut self) -> Option<PipeWriter> {
        None
    }

    pub(crate) const fn keepers(&self) -> usize {
        0
    }

    pub(crate) fn not_raised(&mut self) -> io::Result<Option<String>> {
        Ok(None)
    }

    pub(crate) fn ended(&mut self) -> io::Result<Option<Ended>> {
        Ok(None)
    }

    pub(crate) fn limit_hit(&self) -> Option<Limit> {
        None
    }
}
