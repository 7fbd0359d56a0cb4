//! What is put around a stage's process between its birth and its first instruction.
//!
//! This is the one place for walls that a process must raise around itself: more of them belong into the same closure.
#![expect(unsafe_code, reason = "only code that runs between fork and exec can do this, and std has that as unsafe")]

use std::fs;
use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::io::{Errno, FdFlags, fcntl_setfd};
use rustix::process::setsid;

/// Where a process finds its own descriptors: on Linux, and on other Unix systems.
const DESCRIPTORS: [&str; 2] = ["/proc/self/fd", "/dev/fd"];

/// Makes the command's process the leader of a session (and so of a process group) of its own, and closes every descriptor
/// but its input and outputs. The command is to be started at once: descriptors that this process opens after this call are
/// closed only if they were opened to be so, as all of Rust's are.
pub(super) fn raise(command: &mut Command) -> io::Result<()> {
    let descriptors = open_descriptors()?;
    let walls = move || {
        setsid()?;
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
    Ok(())
}

/// The numbers of this process's open descriptors, without the first three.
fn open_descriptors() -> io::Result<Vec<RawFd>> {
    let mut problem = io::Error::from(io::ErrorKind::NotFound);
    for place in DESCRIPTORS {
        match fs::read_dir(place) {
            Ok(entries) => {
                let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<RawFd>().ok());
                return Ok(numbers.filter(|number| *number > 2).collect());
            }
            Err(error) => problem = error,
        }
    }
    Err(problem)
}
