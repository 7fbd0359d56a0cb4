//! A rate with bursts.

use std::time::Duration;

use tokio::time::Instant;

/// Tells when the next of a row of requests may go, by the generic cell rate algorithm: it remembers one instant.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When the row would be over if every request so far had kept the rate.
    busy_until: Option<Instant>,
}

impl Pace {
    /// Takes the next place in the row, and tells when it is: now, or later. At most `burst` places follow each other
    /// without the pause that the rate asks for.
    pub(super) fn take(&mut self, now: Instant, per_minute: u32, burst: u32) -> Instant {
        let pause = Duration::from_mins(1) / per_minute.max(1);
        let busy_until = self.busy_until.map_or(now, |until| until.max(now));
        let ahead = pause * burst.saturating_sub(1);
        self.busy_until = Some(busy_until + pause);
        busy_until.checked_sub(ahead).map_or(now, |at| at.max(now))
    }

    /// When the next place would be, without taking it.
    pub(super) fn next(&self, now: Instant, per_minute: u32, burst: u32) -> Instant {
        Self { busy_until: self.busy_until }.take(now, per_minute, burst)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_stretch_of_time_holds_more_than_the_burst_and_the_rate(
            gaps in proptest::collection::vec(0u64..4_000, 1..80),
            per_minute in 1u32..120,
            burst in 1u32..12,
        ) {
            let begin = Instant::now();
            let (mut now, mut pace) = (begin, Pace::default());
            let mut sent = Vec::new();
            for gap in gaps {
                now += Duration::from_millis(gap);
                let at = pace.take(now, per_minute, burst);
                prop_assert!(at >= now);
                now = at;
                sent.push(at);
            }
            for (first, from) in sent.iter().enumerate() {
                for (last, to) in sent.iter().enumerate().skip(first) {
                    let most = f64::from(burst) + (*to - *from).as_secs_f64() * f64::from(per_minute) / 60.0 + 1e-6;
                    let count = u32::try_from(last - first + 1).unwrap();
                    prop_assert!(f64::from(count) <= most, "{count} in {:?}", *to - *from);
                }
            }
        }
    }

    #[test]
    fn after_a_rest_a_burst_goes_at_once_and_then_one_at_a_time() {
        let now = Instant::now();
        let mut pace = Pace::default();
        let waits: Vec<u64> =
            (0..5).map(|_| u64::try_from((pace.take(now, 60, 3) - now).as_millis()).unwrap()).collect();
        assert_eq!(waits, [0, 0, 0, 1000, 2000]);
        let later = now + Duration::from_mins(1);
        assert_eq!(pace.next(later, 60, 3), later);
    }
}
