//! Looking at processes and files of a stage, from outside.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The command lines of the processes whose temporary folder is below a folder, as those of a stage's are. Their numbers inside
/// say nothing: a stage may have numbers of its own.
pub(super) fn living(below: &Path) -> Vec<String> {
    let of_stage = |variables: &[u8]| {
        variables.split(|byte| *byte == 0).any(|variable| {
            variable.strip_prefix(b"TMPDIR=").is_some_and(|value| value.starts_with(below.as_os_str().as_bytes()))
        })
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let found = entries.filter(|entry| of_stage(&fs::read(entry.path().join("environ")).unwrap_or_default()));
    found
        .map(|entry| String::from_utf8_lossy(&fs::read(entry.path().join("cmdline")).unwrap_or_default()).into_owned())
        .collect()
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
