//! How long to wait before the next look at the forge.

use std::time::Duration;

/// No pause grows beyond this one, or beyond the rules' own where that is longer.
const LONGEST: Duration = Duration::from_mins(1);

/// How many of the rules' pauses the longest pause has at most.
const MOST_TIMES: u32 = 6;

/// The time between two looks of somebody who is woken again and again, at least.
const FLOOR: Duration = Duration::from_secs(1);

/// The pauses between looks. They begin with the rules' own and grow while nothing changes, so that checks of seconds are seen at
/// once and checks of hours cost little. What changed once may soon change again, and the pauses are short again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    first: Duration,
    pause: Duration,
    floor: Duration,
}

impl Pace {
    /// The pace of rules that allow a look this often.
    pub(crate) fn new(poll: Duration) -> Self {
        Self { first: poll, pause: poll, floor: FLOOR.min(poll) }
    }

    /// How long to wait for the next look.
    pub(crate) const fn pause(&self) -> Duration {
        self.pause
    }

    /// How long to wait even if woken. It grows as the pauses do: a forge that tells of everything but what is waited for costs
    /// no more looks than one that tells nothing.
    pub(crate) const fn floor(&self) -> Duration {
        self.floor
    }

    /// The pace after a look.
    pub(crate) fn after(self, changed: bool) -> Self {
        if changed {
            return Self::new(self.first);
        }
        let longest = LONGEST.min(self.first * MOST_TIMES).max(self.first);
        let pause = (self.pause * 3 / 2).min(longest);
        Self { first: self.first, pause, floor: (self.floor * 3 / 2).min(pause) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(poll: u64, looks: usize) -> Vec<f64> {
        let mut pace = Pace::new(Duration::from_secs(poll));
        let mut next = || {
            let pause = pace.pause().as_secs_f64();
            pace = pace.after(false);
            pause
        };
        (0..looks).map(|_| next()).collect()
    }

    #[test]
    fn pauses_grow_while_nothing_changes_up_to_six_times_and_a_minute() {
        assert_eq!(pauses(10, 7), [10.0, 15.0, 22.5, 33.75, 50.625, 60.0, 60.0]);
        assert_eq!(pauses(2, 8), [2.0, 3.0, 4.5, 6.75, 10.125, 12.0, 12.0, 12.0]);
    }

    #[test]
    fn the_rules_own_pause_is_never_shortened() {
        assert_eq!(pauses(60, 3), [60.0; 3]);
        assert_eq!(pauses(3_600, 3), [3_600.0; 3]);
    }

    #[test]
    fn a_change_begins_anew() {
        let first = Pace::new(Duration::from_secs(10));
        let grown = first.after(false).after(false);
        assert!(grown.pause() > first.pause() && grown.floor() > first.floor());
        assert_eq!(grown.after(true), first);
    }

    #[test]
    fn whoever_is_woken_looks_soon_but_ever_less_often_and_never_later_than_unwoken() {
        let mut pace = Pace::new(Duration::from_secs(10));
        assert_eq!(pace.floor(), Duration::from_secs(1));
        for _ in 0..40 {
            assert!(pace.floor() <= pace.pause());
            pace = pace.after(false);
        }
        assert_eq!((pace.floor(), pace.pause()), (Duration::from_mins(1), Duration::from_mins(1)));
        assert_eq!(Pace::new(Duration::from_millis(100)).floor(), Duration::from_millis(100));
    }
}
