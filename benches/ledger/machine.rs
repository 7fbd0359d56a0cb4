//! The machine that the figures are of.

use std::fs;

use crate::server::Server;
use crate::size::Size;

/// The machine and the run, in a few lines.
pub async fn described(server: &Server, size: &Size) -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("\t: unknown");
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!(
        "- CPU: {}, {cores} cores\n- kernel: {} {}\n- PostgreSQL {} (fsync {}, synchronous_commit {}, otherwise as `initdb` sets it up)\n\
         - file system of its data: {}\n- events in the full ledger: {}; rounds: {}, of {} s a way\n\
         - load average of the machine at the end: {}\n",
        cpu.trim_start_matches(['\t', ' ', ':']),
        std::env::consts::OS,
        kernel.trim(),
        server.says("SHOW server_version").await,
        server.says("SHOW fsync").await,
        server.says("SHOW synchronous_commit").await,
        file_system(&server.cluster.data_folder()),
        size.events,
        size.rounds,
        size.turn.as_secs(),
        load.split(' ').next().unwrap_or_default(),
    )
}

/// The type of the file system that a folder is on: of the longest mount point above it.
fn file_system(folder: &std::path::Path) -> String {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    mounts
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(' ').skip(1);
            Some((fields.next()?, fields.next()?))
        })
        .filter(|(point, _)| folder.starts_with(point))
        .max_by_key(|(point, _)| point.len())
        .map_or_else(|| "unknown".to_owned(), |(_, kind)| kind.to_owned())
}
