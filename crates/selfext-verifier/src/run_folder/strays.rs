//! Ending processes of a run whose keeper is gone.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

/// How often all processes are gone through: one that is ended may have started another meanwhile.
const PASSES: usize = 20;

/// Ends the processes that work in a run's folder, or whose environment names it. One that cleared its environment and left the
/// folder is not found: that the keeper ends with all below it is what holds, and this is for when it was killed itself.
pub(crate) fn end_strays(folder: &Path) {
    for _ in 0..PASSES {
        let strays: Vec<Pid> = processes().filter(|pid| belongs(*pid, folder)).collect();
        if strays.is_empty() {
            return;
        }
        for stray in strays {
            tracing::warn!(pid = stray.as_raw_nonzero().get(), "a process of a run that is over is ended");
            let _ = kill_process(stray, Signal::KILL);
        }
    }
}

fn processes() -> impl Iterator<Item = Pid> {
    let own = rustix::process::getpid();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok().and_then(Pid::from_raw));
    pids.filter(move |pid| *pid != own)
}

fn belongs(pid: Pid, folder: &Path) -> bool {
    let about = Path::new("/proc").join(pid.as_raw_nonzero().to_string());
    if fs::read_link(about.join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder)) {
        return !is_dead(&about);
    }
    let variables = fs::read(about.join("environ")).unwrap_or_default();
    let own = |variable: &[u8]| {
        variable.strip_prefix(b"TMPDIR=").is_some_and(|value| value.starts_with(folder.as_os_str().as_bytes()))
    };
    variables.split(|byte| *byte == 0).any(own) && !is_dead(&about)
}

/// Whether it only waits to be buried.
fn is_dead(about: &Path) -> bool {
    let stat = fs::read_to_string(about.join("stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['Z', 'X']))
}
