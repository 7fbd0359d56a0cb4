//! Raising the walls, between the birth of a stage's process and its first instruction.
//!
//! The agent forks a process that becomes the keeper; it forks the first process of a namespace of process ids, where there is
//! one; that forks the stage's own, which alone becomes the stage's program. Everything is prepared before the first fork.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::process::Command;

use super::super::record;
use super::file_system::FileSystem;
use super::filter::Filter;
use super::keeper::{self, Held};
use super::limits::Limit;
use super::step::Step;
use super::system::{self, Errno};

/// Namespaces of its own for a stage.
#[derive(Debug)]
pub(super) struct Namespaces {
    pub(super) file_system: FileSystem,
    pub(super) user_map: CString,
    pub(super) group_map: CString,
    /// Whether it stays in the network of the machine.
    pub(super) network: bool,
}

/// The files of Landlock rules, and what is still to be added to them in a file system of its own.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) descriptor: OwnedFd,
    pub(super) reading: u64,
    pub(super) listing: u64,
}

/// Everything about a stage's walls.
#[derive(Debug)]
pub(super) struct Raising {
    pub(super) namespaces: Option<Namespaces>,
    pub(super) rules: Option<Rules>,
    pub(super) filter: Option<Filter>,
    pub(super) limits: Vec<Limit>,
    /// The files through which a process joins the stage's control groups.
    pub(super) groups: Vec<File>,
    pub(super) folder: CString,
    pub(super) lifeline: OwnedFd,
    pub(super) told: OwnedFd,
    /// Whether the walls are only tried: nothing is started behind them.
    pub(super) trial: bool,
}

/// Has the walls raised when the command is started. The process that the command then is, is the keeper; its end says that
/// nothing of the stage is left.
pub(super) fn raise(command: &mut Command, mut raising: Raising) {
    system::before_exec(command, move || {
        let told = raising.told.as_raw_fd();
        raising.run().map_err(|(step, error)| {
            let _ = system::write(told, &record::write(record::NOT_RAISED, step as i32, error, 0));
            io::Error::from_raw_os_error(error)
        })
    });
}

impl Raising {
    /// Returns in the process that is to become the stage's program, and in no other, unless a wall could not be raised.
    fn run(&mut self) -> Result<(), (Step, Errno)> {
        let held = Held { lifeline: self.lifeline.as_raw_fd(), told: self.told.as_raw_fd() };
        at(Step::Session, system::new_session())?;
        for group in &self.groups {
            at(Step::Cgroup, system::write(group.as_raw_fd(), b"0"))?;
        }
        let keeper = system::own_pid();
        if let Some(namespaces) = &self.namespaces {
            namespaces.make()?;
            if let Some(first) = at(Step::Fork, system::fork())? {
                keeper::above_a_namespace(first, held);
            }
            namespaces.settle()?;
            if let Some(main) = at(Step::Fork, system::fork())? {
                keeper::first_of_a_namespace(main, held);
            }
        } else {
            at(Step::Keeper, system::control(libc::PR_SET_CHILD_SUBREAPER, 1))?;
            if let Some(main) = at(Step::Fork, system::fork())? {
                keeper::without_namespaces(main, held);
            }
        }
        at(Step::Session, system::new_session())?;
        at(Step::Folder, system::change_folder(&self.folder))?;
        at(Step::Capabilities, system::give_up_capabilities())?;
        at(Step::Privileges, system::control_new_privileges())?;
        if let Some(rules) = &self.rules {
            let descriptor = rules.descriptor.as_raw_fd();
            if self.namespaces.is_some() {
                at(Step::Landlock, system::landlock_allow(descriptor, c"/proc", rules.reading))?;
                at(Step::Landlock, system::landlock_allow(descriptor, c"/", rules.listing))?;
            }
            at(Step::Landlock, system::landlock_restrict(descriptor))?;
        }
        for limit in &self.limits {
            at(Step::Limits, system::set_limit(*limit))?;
        }
        system::close_range(3, u32::MAX, libc::CLOSE_RANGE_CLOEXEC);
        if let Some(filter) = &mut self.filter {
            filter.name_keeper(keeper);
            at(Step::Filter, system::filter_calls(filter.lines()))?;
        }
        if self.trial {
            system::exit(0);
        }
        Ok(())
    }
}

impl Namespaces {
    /// Makes them. What it forks next is the first process in them.
    fn make(&self) -> Result<(), (Step, Errno)> {
        let mut flags =
            libc::CLONE_NEWUSER | libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS;
        if !self.network {
            flags |= libc::CLONE_NEWNET;
        }
        at(Step::Namespaces, system::unshare(flags))?;
        at(Step::UserMap, system::write_file(c"/proc/self/setgroups", b"deny"))?;
        at(Step::UserMap, system::write_file(c"/proc/self/uid_map", self.user_map.to_bytes()))?;
        at(Step::UserMap, system::write_file(c"/proc/self/gid_map", self.group_map.to_bytes()))
    }

    /// Moves in, as the first process in them.
    fn settle(&self) -> Result<(), (Step, Errno)> {
        at(Step::Keeper, system::control(libc::PR_SET_PDEATHSIG, libc::SIGKILL.unsigned_abs().into()))?;
        self.file_system.enter()?;
        if self.network { Ok(()) } else { at(Step::Loopback, system::loopback_up()) }
    }
}

fn at<T>(step: Step, result: Result<T, Errno>) -> Result<T, (Step, Errno)> {
    result.map_err(|error| (step, error))
}
