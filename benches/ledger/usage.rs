//! What a process used of the machine.
#![expect(unsafe_code, reason = "the operating system is asked directly")]

use std::fmt;
use std::mem::MaybeUninit;
use std::time::Duration;

/// What a process used for so many events. As text it is what one process tells another.
pub struct Usage {
    events: u64,
    clock: Duration,
    cpu: Duration,
    peak_kib: u64,
}

impl Usage {
    /// What this process has used until now, on all its cores.
    pub fn of_this_process(events: u64, clock: Duration) -> Self {
        let mut usage = MaybeUninit::<libc::rusage>::uninit();
        // SAFETY: the pointer is to memory of that type, which a call that succeeds has filled.
        let usage = unsafe {
            assert_eq!(libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()), 0);
            usage.assume_init()
        };
        let time = |time: libc::timeval| {
            Duration::from_secs(time.tv_sec.try_into().unwrap())
                + Duration::from_micros(time.tv_usec.try_into().unwrap())
        };
        Self { events, clock, cpu: time(usage.ru_utime) + time(usage.ru_stime), peak_kib: peak_kib() }
    }

    pub fn parse(text: &str) -> Self {
        let numbers: Vec<u64> = text.split_whitespace().map(|number| number.parse().unwrap()).collect();
        let [events, clock, cpu, peak_kib] = numbers[..] else { panic!("{text}") };
        Self { events, clock: Duration::from_micros(clock), cpu: Duration::from_micros(cpu), peak_kib }
    }

    pub fn per_cpu_second(&self) -> f64 {
        crate::rate(self.events, self.cpu)
    }

    pub fn per_second(&self) -> f64 {
        crate::rate(self.events, self.clock)
    }

    #[expect(clippy::cast_precision_loss, reason = "no process has that much memory")]
    pub fn peak_mib(&self) -> f64 {
        self.peak_kib as f64 / 1024.0
    }
}

/// The most memory that this program has had resident. What `getrusage` says begins with that of the program which started it.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { events, clock, cpu, peak_kib } = self;
        write!(f, "{events} {} {} {peak_kib}", clock.as_micros(), cpu.as_micros())
    }
}
