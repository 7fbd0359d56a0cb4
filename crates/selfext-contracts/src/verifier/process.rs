//! Looking at processes and files of a stage, from outside.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, test_kill_process};

/// Whether a process has ended. One that only waits for its parent to ask how has.
pub(super) fn is_gone(pid: i32) -> bool {
    let pid = Pid::from_raw(pid).expect("a process id");
    if test_kill_process(pid).is_err() {
        return true;
    }
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    matches!(state, Some('Z' | 'X'))
}

/// Waits until something is so.
pub(super) async fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_mins(1), "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub(super) async fn until_gone(pid: i32) {
    until(&format!("the process {pid} is gone"), || is_gone(pid).then_some(())).await;
}

/// The files of this name anywhere below a folder that others change meanwhile.
pub(super) fn find(below: &Path, name: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![below.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(entry.path());
            } else if entry.file_name() == name {
                found.push(entry.path());
            }
        }
    }
    found
}

/// The number behind `name=` in an output.
pub(super) fn number(output: &str, name: &str) -> i32 {
    let line = output.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    line.and_then(|number| number.trim().parse().ok()).unwrap_or_else(|| panic!("there is no {name} in {output}"))
}
