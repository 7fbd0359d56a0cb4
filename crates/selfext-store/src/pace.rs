//! When a follower looks into the ledger next.

use std::mem::take;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// The limits of the time between two looks of a follower that nobody tells anything.
const POLLS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_hours(24));

/// The first and the longest pause before what an older transaction holds back is looked for again.
const SOON: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(100));

/// The first and the longest pause after a look that failed.
const FAILED: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// When a follower looks next. It is kept between calls, so that a call that is dropped forgets nothing.
#[derive(Debug)]
pub(crate) struct Pace {
    poll: Duration,
    due: Instant,
    pause: Duration,
    failing: bool,
}

impl Pace {
    /// At once, and from then on at least this often.
    pub fn new(poll: Duration) -> Self {
        let poll = poll.clamp(POLLS.0, POLLS.1);
        Self { poll, due: Instant::now(), pause: Duration::ZERO, failing: false }
    }

    /// Waits until the next look is due.
    pub fn due(&self) -> Sleep {
        sleep_until(self.due)
    }

    /// The longest time between two looks.
    pub const fn poll(&self) -> Duration {
        self.poll
    }

    /// Looks at once.
    pub fn now(&mut self) {
        self.due = Instant::now();
    }

    /// Has looked, and looks again after a rest.
    pub fn rest(&mut self, rest: Duration) {
        self.pause = Duration::ZERO;
        self.due = Instant::now() + rest;
    }

    /// Has looked, and something is there that cannot be given yet.
    pub fn soon(&mut self) {
        self.pause_longer(SOON);
    }

    /// Could not look.
    pub fn failed(&mut self) {
        self.failing = true;
        self.pause_longer(FAILED);
    }

    /// Could look; answers whether that failed the last time.
    pub fn recovered(&mut self) -> bool {
        let was_failing = take(&mut self.failing);
        if was_failing {
            self.pause = Duration::ZERO;
        }
        was_failing
    }

    fn pause_longer(&mut self, (first, longest): (Duration, Duration)) {
        self.pause = (self.pause * 2).clamp(first, longest);
        self.due = Instant::now() + self.pause.min(self.poll.max(first));
    }
}
