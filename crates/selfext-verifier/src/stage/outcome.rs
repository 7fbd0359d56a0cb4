//! What a stage's end means.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use rustix::process::Signal;
use selfext_domain::{Limit, StageLimits, StageResult};

use super::walls::{Ended, Guarded};
use super::watch::{Cut, Watched};

pub(super) fn result_of(watched: &Watched, guarded: &Guarded, limits: &StageLimits) -> StageResult {
    match watched.cut {
        Some(Cut::TimeOut) => return StageResult::TimedOut,
        Some(Cut::Limit(limit)) => return StageResult::LimitHit { limit },
        None => {}
    }
    // The system ended one of its processes, of which the others may have said nothing.
    if guarded.limit_hit() == Some(Limit::Memory) {
        return StageResult::LimitHit { limit: Limit::Memory };
    }
    let status = watched.ended.map_or(watched.status, |ended| ended.status);
    // A keeper that ends well without a word was ended before its word was out.
    if status.success() && (watched.ended.is_some() || !cfg!(target_os = "linux")) {
        return StageResult::Passed;
    }
    let hit = limit_told(status, watched.ended, limits).or_else(|| guarded.limit_hit());
    match hit {
        Some(limit) => StageResult::LimitHit { limit },
        None => StageResult::Failed { exit_code: status.code(), signal: status.signal() },
    }
}

/// The limit that an end tells of: by the signal that comes with it, or by a shell's way to pass on that a command of its got it.
fn limit_told(status: ExitStatus, ended: Option<Ended>, limits: &StageLimits) -> Option<Limit> {
    let signal = status.signal().or_else(|| status.code().map(|code| code - 128).filter(|signal| *signal > 0))?;
    let is = |known: Signal| signal == known.as_raw();
    let used_up = ended.is_some_and(|ended| ended.cpu_micros >= limits.cpu_seconds.saturating_mul(1_000_000));
    if is(Signal::XCPU) || is(Signal::KILL) && used_up {
        Some(Limit::CpuTime)
    } else if is(Signal::XFSZ) {
        Some(Limit::FileSize)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_told_by_its_signal_or_by_a_shell_that_passes_it_on() {
        let limits = StageLimits { cpu_seconds: 2, ..StageLimits::default() };
        let told = |raw: i32, cpu_micros: u64| {
            let status = ExitStatus::from_raw(raw);
            limit_told(status, Some(Ended { status, cpu_micros }), &limits)
        };
        let code = |code: i32| code << 8;
        assert_eq!((told(24, 0), told(code(152), 0)), (Some(Limit::CpuTime), Some(Limit::CpuTime)));
        assert_eq!((told(25, 0), told(code(153), 0)), (Some(Limit::FileSize), Some(Limit::FileSize)));
        assert_eq!(
            (told(9, 0), told(9, 2_100_000), told(code(137), 3_000_000)),
            (None, Some(Limit::CpuTime), Some(Limit::CpuTime))
        );
        assert_eq!((told(code(1), 9_000_000), told(15, 0)), (None, None));
    }
}
