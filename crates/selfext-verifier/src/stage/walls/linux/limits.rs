//! Resource limits.

use std::fs;

use selfext_domain::StageLimits;

/// Processes that stand above a stage's own, and count with it.
pub(super) const ABOVE: u64 = 2;

/// What `setrlimit` is asked for: resource, soft and hard limit.
pub(super) type Limit = (libc::__rlimit_resource_t, libc::rlim_t, libc::rlim_t);

/// The resource limits of a stage. `processes` is what counts for the user in all, with the stage's own.
pub(super) fn prepare(limits: &StageLimits, processes: u64) -> Vec<Limit> {
    vec![
        // The first signal can be caught, the second, a second later, cannot.
        (libc::RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + 1),
        // Address space that is only reserved, as many runtimes do, does not count here.
        (libc::RLIMIT_DATA, limits.memory_bytes, limits.memory_bytes),
        (libc::RLIMIT_FSIZE, limits.file_bytes, limits.file_bytes),
        (libc::RLIMIT_NOFILE, limits.open_files, limits.open_files),
        (libc::RLIMIT_NPROC, processes, processes),
        (libc::RLIMIT_CORE, 0, 0),
        (libc::RLIMIT_MSGQUEUE, 0, 0),
    ]
}

/// How many processes and threads this user has now, as far as can be seen.
pub(super) fn threads_of_this_user() -> u64 {
    let me = rustix::process::geteuid().as_raw();
    let of = |status: &str| {
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let user = field("Uid:")?.split_whitespace().next()?.parse::<u32>().ok()?;
        (user == me).then(|| field("Threads:").and_then(|threads| threads.parse::<u64>().ok())).flatten()
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| of(&fs::read_to_string(entry.path().join("status")).ok()?)).sum()
}
