//! The files that a stage may use, as Landlock rules.

use std::io;
use std::os::fd::OwnedFd;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, PathBeneath, PathFd, Ruleset,
    RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, Scope,
};

use super::super::Surroundings;
use super::system;

/// The newest Landlock that this code was tried with.
const NEWEST: ABI = ABI::V6;

/// Devices that hold nothing of anybody's.
const DEVICES: &[&str] = &["/dev/full", "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero"];

/// Which Landlock this kernel has; 0 if none.
pub(super) fn version() -> i32 {
    system::landlock_version()
}

/// What else a stage is to be held back from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// Connecting and listening, over TCP.
    pub(super) no_tcp: bool,
    /// Whether the stage has a file system of its own, so that its `/proc` is not there yet.
    pub(super) own_file_system: bool,
}

/// Rights to read and to start programs, of the versions of Landlock before the one that this kernel may have.
pub(super) fn reading(version: i32) -> u64 {
    AccessFs::from_read(known(version)).bits()
}

/// The right to list a folder.
pub(super) fn listing() -> u64 {
    BitFlags::from(AccessFs::ReadDir).bits()
}

fn known(version: i32) -> ABI {
    match version {
        i32::MIN..=1 => ABI::V1,
        2 => ABI::V2,
        3 => ABI::V3,
        4 => ABI::V4,
        5 => ABI::V5,
        _ => NEWEST,
    }
}

/// Puts the rules together; `None` without Landlock.
pub(super) fn prepare(around: &Surroundings<'_>, wanted: Wanted) -> io::Result<Option<OwnedFd>> {
    let failed = io::Error::other::<landlock::RulesetError>;
    let all = AccessFs::from_all(NEWEST);
    let mut ruleset =
        Ruleset::default().set_compatibility(CompatLevel::BestEffort).handle_access(all).map_err(failed)?;
    if wanted.no_tcp {
        ruleset = ruleset.handle_access(AccessNet::from_all(NEWEST)).map_err(failed)?;
    }
    ruleset = ruleset.scope(Scope::from_all(NEWEST)).map_err(failed)?;
    let mut created = ruleset.create().map_err(failed)?;
    let read = AccessFs::from_read(NEWEST);
    for place in around.readable {
        created = allow(created, place, read)?;
    }
    for folder in around.writable() {
        created = allow(created, folder, all)?;
    }
    for device in DEVICES {
        created = allow(created, std::path::Path::new(device), AccessFs::from_file(NEWEST))?;
    }
    if !wanted.own_file_system {
        // What belongs to other processes in there is kept from a stage by Landlock's rule on tracing.
        created = allow(created, std::path::Path::new("/proc"), read)?;
    }
    Ok(created.into())
}

/// Allows a place, if it is there and can be opened.
fn allow(created: RulesetCreated, place: &std::path::Path, rights: BitFlags<AccessFs>) -> io::Result<RulesetCreated> {
    let Ok(opened) = PathFd::new(place) else { return Ok(created) };
    let rights = if place.is_dir() { rights } else { rights & AccessFs::from_file(NEWEST) };
    created.add_rule(PathBeneath::new(opened, rights)).map_err(io::Error::other::<landlock::RulesetError>)
}
