//! Control groups, where this process may make some below its own.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use selfext_domain::{Limit, StageLimits};

use super::limits::ABOVE;

const MOUNTED: &str = "/sys/fs/cgroup";
const PREFIX: &str = "selfext-";
/// How often a group is removed again whose last processes are just being buried, and what lies between.
const TRIES: usize = 50;
const PAUSE: Duration = Duration::from_millis(2);

static MADE: AtomicU64 = AtomicU64::new(0);

/// Which controllers a group has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// One group for all of them.
    Unified,
    /// Version 1: the number of processes.
    Processes,
    /// Version 1: memory.
    Memory,
}

/// Where groups can be made.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(Vec<(Kind, PathBuf)>);

impl Places {
    /// Finds them, by trying. Removes empty groups that a crashed process left.
    pub(super) fn find() -> Self {
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let below = |controller: &str| {
            let line = own.lines().find_map(|line| {
                let (_, rest) = line.split_once(':')?;
                let (names, path) = rest.split_once(':')?;
                names.split(',').any(|name| name == controller).then_some(path)
            });
            line.map(|path| path.trim_start_matches('/').to_owned())
        };
        let mounted = Path::new(MOUNTED);
        let candidates = if mounted.join("cgroup.controllers").exists() {
            vec![(Kind::Unified, mounted.to_owned(), below(""))]
        } else {
            vec![
                (Kind::Processes, mounted.join("pids"), below("pids")),
                (Kind::Memory, mounted.join("memory"), below("memory")),
            ]
        };
        let usable = candidates.into_iter().filter_map(|(kind, root, path)| {
            let parent = root.join(path.unwrap_or_default());
            let parent = if parent.is_dir() { parent } else { root };
            sweep(&parent);
            Group::make_one(kind, &parent, &StageLimits::default()).ok().map(|made| {
                remove(&made);
                (kind, parent)
            })
        });
        Self(usable.collect())
    }

    /// Whether groups made here bound the number of processes.
    pub(super) fn bound_processes(&self) -> bool {
        self.0.iter().any(|(kind, _)| *kind != Kind::Memory)
    }

    /// Makes the groups of a stage.
    pub(super) fn make(&self, limits: &StageLimits) -> io::Result<Group> {
        let mut group = Group(Vec::new());
        for (kind, parent) in &self.0 {
            group.0.push((*kind, Group::make_one(*kind, parent, limits)?));
        }
        Ok(group)
    }
}

/// The groups of one stage; gone with the value.
#[derive(Debug)]
pub(super) struct Group(Vec<(Kind, PathBuf)>);

impl Group {
    fn make_one(kind: Kind, parent: &Path, limits: &StageLimits) -> io::Result<PathBuf> {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let folder = parent.join(format!("{PREFIX}{}-{number}", std::process::id()));
        fs::create_dir(&folder)?;
        let set = |name: &str, value: u64| fs::write(folder.join(name), value.to_string());
        let processes = || set("pids.max", limits.processes + ABOVE);
        let bounded = match kind {
            Kind::Unified => processes().and_then(|()| set("memory.max", limits.memory_bytes)),
            Kind::Processes => processes(),
            Kind::Memory => set("memory.limit_in_bytes", limits.memory_bytes),
        };
        bounded.map(|()| folder.clone()).inspect_err(|_| remove(&folder))
    }

    /// The files through which a process joins them.
    pub(super) fn doors(&self) -> io::Result<Vec<File>> {
        self.0.iter().map(|(_, folder)| File::options().write(true).open(folder.join("cgroup.procs"))).collect()
    }

    /// Which limit was run into, if one was.
    pub(super) fn limit_hit(&self) -> Option<Limit> {
        self.0.iter().find_map(|(kind, folder)| {
            let counted = |file: &str, name: &str| {
                let text = fs::read_to_string(folder.join(file)).unwrap_or_default();
                text.lines().any(|line| {
                    line.strip_prefix(name)
                        .is_some_and(|count| count.trim().parse::<u64>().is_ok_and(|count| count > 0))
                })
            };
            let processes = || counted("pids.events", "max ").then_some(Limit::Processes);
            match kind {
                Kind::Unified => counted("memory.events", "oom_kill ").then_some(Limit::Memory).or_else(processes),
                Kind::Processes => processes(),
                Kind::Memory => counted("memory.oom_control", "oom_kill ").then_some(Limit::Memory),
            }
        })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for (_, folder) in &self.0 {
            remove(folder);
        }
    }
}

fn remove(folder: &Path) {
    for _ in 0..TRIES {
        match fs::remove_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => std::thread::sleep(PAUSE),
            _ => return,
        }
    }
    tracing::warn!(group = %folder.display(), "a control group cannot be removed");
}

/// Removes groups without processes of selfexts that are gone. One with processes stays: the system refuses.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()?.parse::<u32>().ok());
        if process.is_some_and(|process| !Path::new(&format!("/proc/{process}")).exists()) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}
