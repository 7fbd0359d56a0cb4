//! What this machine offers, and the walls that a stage gets of it.

use std::ffi::CString;
use std::io::{self, PipeReader, PipeWriter};
use std::path::Path;
use std::process::Command;

use rustix::process::{getegid, geteuid};
use selfext_domain::{Limit, Mechanism, StageLimits, StageRules, Wall, WallReport, WallState};

use super::super::record::Record;
use super::super::{Ended, Surroundings};
use super::cgroup::{Group, Places};
use super::file_system::{FileSystem, text};
use super::filter::{self, Filter, Sockets};
use super::raise::{Namespaces, Raising, Rules, raise};
use super::{files, limits, step};

/// The version of Landlock from which on it keeps a file from being cut to nothing by its name alone.
const WHOLE_FILES: i32 = 3;
const TCP: i32 = 4;
const SIGNALS: i32 = 6;

/// What this machine offers, found out by trying it.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    /// Or why there are none.
    namespaces: Result<(), String>,
    landlock: i32,
    /// Whether a keeper finds what fell to it.
    children: bool,
    groups: Places,
}

/// This process's part of a stage's walls.
#[derive(Debug)]
pub(crate) struct Guarded {
    lifeline: Option<PipeWriter>,
    told: PipeReader,
    group: Option<Group>,
    /// How many processes stand one above the other before the stage's own.
    keepers: usize,
}

impl Machine {
    /// Tries everything once. Takes some milliseconds, in which it blocks.
    pub(crate) fn probe(around: &Surroundings<'_>) -> Self {
        let mut machine = Self {
            namespaces: Ok(()),
            landlock: files::version(),
            children: Path::new("/proc/thread-self/children").exists(),
            groups: Places::find(),
        };
        machine.namespaces = machine.try_walls(around);
        if let Err(why) = &machine.namespaces {
            tracing::info!(%why, "stages get no namespaces of their own on this machine");
        }
        machine
    }

    /// The machine as it would be without some of what it offers.
    pub(crate) fn without(mut self, namespaces: bool, landlock: bool, groups: bool) -> Self {
        if namespaces {
            self.namespaces = Err("they are switched off".to_owned());
        }
        if landlock {
            self.landlock = 0;
        }
        if groups {
            self.groups = Places::default();
        }
        self
    }

    /// Raises all walls around nothing.
    fn try_walls(&self, around: &Surroundings<'_>) -> Result<(), String> {
        let stage = StageRules::new("trial", vec!["/".to_owned()]);
        let mut command = Command::new("/");
        let words = |error: io::Error| error.to_string();
        let mut guarded = self.guard_with(&mut command, &stage, around, true).map_err(words)?;
        let spawned = command.spawn();
        drop(command);
        let waited = spawned.and_then(|mut child| child.wait());
        match guarded.told() {
            Err(error) => Err(words(error)),
            Ok(Some(Record::NotRaised { step, errno })) => Err(not_raised(step, errno)),
            Ok(_) => waited.map(drop).map_err(words),
        }
    }

    /// The walls that this machine puts around a stage.
    pub(crate) fn walls(&self, stage: &StageRules) -> Vec<WallReport> {
        let stood = |by: &[Mechanism]| WallState::Stood { by: by.to_vec() };
        let missing = |why: String| WallState::Missing { why: crate::error::words(&why) };
        let no_namespaces = self.namespaces.as_ref().err().map_or("", String::as_str);
        let own = self.namespaces.is_ok();
        let filtered = self.filter(stage).is_some();
        let landlock = |from| (self.landlock >= from).then_some(Mechanism::Landlock);
        let with = |first: Mechanism, more: Option<Mechanism>| WallState::Stood {
            by: [first].into_iter().chain(more).collect(),
        };
        let files = match (own, landlock(WHOLE_FILES)) {
            (true, _) => with(Mechanism::MountNamespace, landlock(1)),
            (false, Some(alone)) => stood(&[alone]),
            (false, None) => missing(format!(
                "no namespaces: {no_namespaces}; and Landlock has version {} here, of which {WHOLE_FILES} is needed",
                self.landlock
            )),
        };
        let network = match (stage.network, own, filtered) {
            (true, ..) => WallState::Opened,
            (false, true, true) => stood(&[Mechanism::NetworkNamespace, Mechanism::Seccomp]),
            (false, true, false) => stood(&[Mechanism::NetworkNamespace]),
            (false, false, true) => with(Mechanism::Seccomp, landlock(TCP)),
            (false, false, false) => missing(format!("no namespaces: {no_namespaces}; and no filter of system calls")),
        };
        let processes = match (own, self.children && (filtered || self.landlock >= SIGNALS)) {
            (true, _) => stood(&[Mechanism::PidNamespace]),
            (false, true) => stood(&[Mechanism::Keeper]),
            (false, false) => missing(format!("no namespaces: {no_namespaces}; and a keeper would not be safe")),
        };
        let neighbours = match (own, landlock(SIGNALS)) {
            (true, _) => with(Mechanism::PidNamespace, landlock(1)),
            (false, Some(alone)) => stood(&[alone]),
            (false, None) => missing(format!(
                "no namespaces: {no_namespaces}; and signals are not held back by Landlock before version {SIGNALS}"
            )),
        };
        let limits = if geteuid().is_root() && !self.groups.bound_processes() {
            missing(
                "the number of root's processes is bounded by control groups alone, and none can be made".to_owned(),
            )
        } else if self.groups.bound_processes() {
            stood(&[Mechanism::ResourceLimits, Mechanism::Cgroup, Mechanism::Watch])
        } else {
            stood(&[Mechanism::ResourceLimits, Mechanism::Watch])
        };
        [
            (Wall::Environment, stood(&[Mechanism::Cleared])),
            (Wall::Files, files),
            (Wall::Network, network),
            (Wall::Processes, processes),
            (Wall::Neighbours, neighbours),
            (Wall::Limits, limits),
        ]
        .map(|(wall, state)| WallReport { wall, state })
        .into()
    }

    /// Has the walls raised when the command is started, which must be at once.
    pub(crate) fn guard(
        &self,
        command: &mut Command,
        stage: &StageRules,
        around: &Surroundings<'_>,
    ) -> io::Result<Guarded> {
        self.guard_with(command, stage, around, false)
    }

    fn guard_with(
        &self,
        command: &mut Command,
        stage: &StageRules,
        around: &Surroundings<'_>,
        trial: bool,
    ) -> io::Result<Guarded> {
        let own = self.namespaces.is_ok();
        let namespaces = if own { Some(namespaces(stage, around)?) } else { None };
        let wanted = files::Wanted { no_tcp: !own && !stage.network, own_file_system: own };
        let rules = if self.landlock > 0 { files::prepare(around, wanted)? } else { None };
        let rules = rules.map(|descriptor| Rules {
            descriptor,
            reading: files::reading(self.landlock),
            listing: files::listing(),
        });
        let group = self.groups.make(&stage.limits)?;
        let (lifeline, held) = pipe_from_here()?;
        let (told, telling) = io::pipe()?;
        let raising = Raising {
            namespaces,
            rules,
            filter: self.filter(stage),
            limits: limits::prepare(&stage.limits, processes(&stage.limits, own)),
            groups: group.doors()?,
            folder: text(around.files)?,
            lifeline: held.into(),
            told: telling.into(),
            trial,
        };
        raise(command, raising);
        Ok(Guarded { lifeline: Some(lifeline), told, group: Some(group), keepers: if own { 2 } else { 1 } })
    }

    fn filter(&self, stage: &StageRules) -> Option<Filter> {
        let own = self.namespaces.is_ok();
        let sockets = match (stage.network, own) {
            (true, _) => Sockets::Open,
            (false, true) => Sockets::OfNamespaces,
            (false, false) => Sockets::None,
        };
        Filter::build(filter::Wanted { sockets, guard_keeper: !own })
    }
}

/// A pipe of which this process keeps the end that is written to.
fn pipe_from_here() -> io::Result<(PipeWriter, PipeReader)> {
    let (reader, writer) = io::pipe()?;
    Ok((writer, reader))
}

fn namespaces(stage: &StageRules, around: &Surroundings<'_>) -> io::Result<Namespaces> {
    let map = |id: u32| CString::new(format!("{id} {id} 1")).map_err(io::Error::from);
    Ok(Namespaces {
        file_system: FileSystem::plan(around)?,
        user_map: map(geteuid().as_raw())?,
        group_map: map(getegid().as_raw())?,
        network: stage.network,
    })
}

/// The limit on a user's processes: in a namespace of users it counts the stage's own alone, elsewhere all of them.
fn processes(limits: &StageLimits, own_namespace: bool) -> u64 {
    let others = if own_namespace { 0 } else { limits::threads_of_this_user() };
    limits.processes + limits::ABOVE + others
}

fn not_raised(step: i32, errno: i32) -> String {
    format!("{} cannot be had: {}", step::words(step), io::Error::from_raw_os_error(errno))
}

impl Guarded {
    /// The end that keeps the stage alive.
    pub(crate) fn take_lifeline(&mut self) -> Option<PipeWriter> {
        self.lifeline.take()
    }

    /// How many processes stand one above the other before the stage's own, from the one that was started on.
    pub(crate) const fn keepers(&self) -> usize {
        self.keepers
    }

    fn told(&mut self) -> io::Result<Option<Record>> {
        Record::read(&mut self.told)
    }

    /// Why a wall could not be raised, if that is why the stage did not start. To be asked once nothing of the stage is left.
    pub(crate) fn not_raised(&mut self) -> io::Result<Option<String>> {
        Ok(match self.told()? {
            Some(Record::NotRaised { step, errno }) => Some(not_raised(step, errno)),
            Some(Record::Ended(_)) | None => None,
        })
    }

    /// How the stage's main process ended; `None` if nobody could tell. To be asked once nothing of the stage is left.
    pub(crate) fn ended(&mut self) -> io::Result<Option<Ended>> {
        Ok(match self.told()? {
            Some(Record::Ended(ended)) => Some(ended),
            Some(Record::NotRaised { .. }) | None => None,
        })
    }

    /// Which limit a control group saw the stage run into.
    pub(crate) fn limit_hit(&self) -> Option<Limit> {
        self.group.as_ref().and_then(Group::limit_hit)
    }
}
