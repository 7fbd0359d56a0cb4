//! Judging a health window by what was recorded.

use chrono::{DateTime, Duration, Utc};

use super::{HealthSample, HealthTerms};
use crate::CommitSha;

/// A window in which a promoted change proves itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthWindow {
    /// What it has to show.
    pub terms: HealthTerms,
    /// The commit that has to show it. Heartbeats of any other do not count.
    pub commit: CommitSha,
    /// When it was promoted, by the database's clock.
    pub opened_at: DateTime<Utc>,
}

/// How a window stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WindowVerdict {
    /// It is not decided yet.
    Open {
        /// How many samples of the commit there are.
        samples: u64,
        /// How many of them are unhealthy.
        unhealthy: u64,
        /// Since when it has been seen, if it has.
        seen_since: Option<DateTime<Utc>>,
    },
    /// The commit proved itself.
    Passed {
        /// How many samples of it it took.
        samples: u64,
        /// How long it was watched, from the first sample to the last that it took.
        seconds: u64,
    },
    /// It did not.
    Failed {
        /// What it did not keep, for people.
        detail: String,
    },
}

impl HealthWindow {
    /// When it ends at the latest.
    #[must_use]
    pub fn deadline(&self) -> DateTime<Utc> {
        self.opened_at + seconds(self.terms.window_seconds)
    }

    /// Judges the samples that were recorded since the window opened, in the order of their times, as of `now`; both by the
    /// database's clock.
    ///
    /// Time is gone through from the beginning, and the first thing that decides does so for good: whoever looks later, and at
    /// more samples, comes to the same verdict. So it does not matter when, how often or by whom a window is looked at. Samples
    /// that bear a time before the opening or after `now` are left out.
    #[must_use]
    pub fn judge(&self, samples: &[HealthSample], now: DateTime<Utc>) -> WindowVerdict {
        let terms = &self.terms;
        let mut seen: Option<(DateTime<Utc>, DateTime<Utc>)> = None;
        let (mut taken, mut unhealthy) = (0, 0);
        let of_commit = samples
            .iter()
            .filter(|sample| sample.commit == self.commit && sample.at >= self.opened_at && sample.at <= now);
        for sample in of_commit {
            if let Some(failed) = self.ran_out(seen, sample.at, taken) {
                return failed;
            }
            taken += 1;
            if !sample.healthy {
                unhealthy += 1;
                if unhealthy > u64::from(terms.error_budget) {
                    let said = sample.detail.as_deref().unwrap_or("nothing more");
                    return WindowVerdict::Failed {
                        detail: format!(
                            "{unhealthy} of {taken} samples were unhealthy, and {} may be. {} said last: {said}",
                            terms.error_budget, sample.reporter
                        ),
                    };
                }
            }
            let first = seen.map_or(sample.at, |(first, _)| first);
            seen = Some((first, sample.at));
            let watched = sample.at - first;
            // Not on an unhealthy sample: what is well shows it last.
            if sample.healthy && taken >= u64::from(terms.samples) && watched >= seconds(terms.healthy_seconds) {
                return WindowVerdict::Passed { samples: taken, seconds: watched.num_seconds().unsigned_abs() };
            }
        }
        self.ran_out(seen, now, taken).unwrap_or(WindowVerdict::Open {
            samples: taken,
            unhealthy,
            seen_since: seen.map(|(first, _)| first),
        })
    }

    /// What ran out before `at`, if anything did, where the commit was seen at these first and last times until then.
    fn ran_out(
        &self,
        seen: Option<(DateTime<Utc>, DateTime<Utc>)>,
        at: DateTime<Utc>,
        taken: u64,
    ) -> Option<WindowVerdict> {
        let terms = &self.terms;
        let failed = |detail| Some(WindowVerdict::Failed { detail });
        match seen {
            None if at > self.opened_at + seconds(terms.start_seconds) => failed(format!(
                "it was not seen running within {} s after it was promoted. An agent that still runs another commit does not count.",
                terms.start_seconds
            )),
            Some((_, last)) if at.min(self.deadline()) > last + seconds(terms.silence_seconds) => failed(format!(
                "after {last} nothing was heard of it for more than {} s, and no data is not healthy.",
                terms.silence_seconds
            )),
            _ if at > self.deadline() => failed(format!(
                "it did not prove itself within {} s: {taken} samples of {} were taken, over less than {} s or with an unhealthy one \
                 at the end.",
                terms.window_seconds, terms.samples, terms.healthy_seconds
            )),
            _ => None,
        }
    }
}

fn seconds(seconds: u32) -> Duration {
    Duration::seconds(i64::from(seconds))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Reporter;

    const TERMS: HealthTerms = HealthTerms {
        start_seconds: 20,
        healthy_seconds: 30,
        samples: 4,
        error_budget: 1,
        silence_seconds: 10,
        window_seconds: 60,
    };

    fn commit(digit: &str) -> CommitSha {
        CommitSha::parse(digit.repeat(40)).unwrap()
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
    }

    fn window() -> HealthWindow {
        HealthWindow { terms: TERMS, commit: commit("a"), opened_at: at(0) }
    }

    fn sample(seconds: i64, digit: &str, healthy: bool) -> HealthSample {
        let reporter = Reporter::parse("agent").unwrap();
        HealthSample { at: at(seconds), commit: commit(digit), healthy, reporter, detail: None }
    }

    /// Samples of the promoted commit: a negative number is an unhealthy one.
    fn samples(times: &[i64]) -> Vec<HealthSample> {
        times.iter().map(|time| sample(time.abs(), "a", *time >= 0)).collect()
    }

    #[test]
    fn what_decides_a_window() {
        let every_five: Vec<i64> = (1..=12).map(|step| step * 5).collect();
        let table: &[(&str, &[i64], i64, &str)] = &[
            ("nothing yet", &[], 20, "open"),
            ("never seen", &[], 21, "was not seen"),
            ("seen too late", &[25, 30, 35], 40, "was not seen"),
            ("seen at the last moment", &[20], 25, "open"),
            ("in the middle", &every_five[..4], 25, "open"),
            ("healthy throughout", &every_five, 60, "passed"),
            ("silent for longer than may be", &[5, 10, 21], 30, "nothing was heard"),
            ("silent until now", &[5, 10], 21, "nothing was heard"),
            ("silent for as long as may be", &[5, 10, 20], 30, "open"),
            ("one is unhealthy", &[5, -10, 15, 20, 25, 30, 35], 36, "passed"),
            ("two are unhealthy", &[5, -10, 15, -20, 25, 30, 35], 36, "2 of 4 samples"),
            ("unhealthy where it would pass", &[5, 15, 25, -35], 36, "open"),
            ("too few samples in all the time", &[20, 30, 40, -50, 60], 60, "passed"),
            ("all the time is over", &[20, 30, 40, -50], 61, "did not prove itself"),
        ];
        for (name, times, now, expected) in table {
            let verdict = window().judge(&samples(times), at(*now));
            let told = match &verdict {
                WindowVerdict::Open { .. } => "open".to_owned(),
                WindowVerdict::Passed { .. } => "passed".to_owned(),
                WindowVerdict::Failed { detail } => detail.clone(),
            };
            assert!(told.contains(expected), "{name}: {verdict:?}");
        }
    }

    #[test]
    fn a_window_that_never_gathers_enough_ends_at_its_deadline() {
        let terms = HealthTerms { samples: 100, ..TERMS };
        let window = HealthWindow { terms, ..window() };
        let times: Vec<i64> = (1..=12).map(|step| step * 5).collect();
        let open = window.judge(&samples(&times), at(60));
        assert!(matches!(open, WindowVerdict::Open { samples: 12, unhealthy: 0, .. }), "{open:?}");
        let over = window.judge(&samples(&times), at(61));
        assert!(
            matches!(&over, WindowVerdict::Failed { detail } if detail.contains("did not prove itself")),
            "{over:?}"
        );
    }

    #[test]
    fn another_commit_is_never_taken_for_the_promoted_one() {
        let other: Vec<_> = (1..=12).map(|step| sample(step * 5, "b", true)).collect();
        assert!(matches!(window().judge(&other, at(60)), WindowVerdict::Failed { .. }));
        // Nor does its being sick count against the promoted one.
        let mut both: Vec<_> = (1..=12).map(|step| sample(step * 5, "a", true)).collect();
        both.extend((1..=12).map(|step| sample(step * 5, "b", false)));
        both.sort_by_key(|sample| sample.at);
        assert!(matches!(window().judge(&both, at(60)), WindowVerdict::Passed { .. }));
    }

    #[test]
    fn what_was_said_before_the_promotion_does_not_count() {
        let before: Vec<_> = (1..=12).map(|step| sample(-step, "a", true)).collect();
        assert!(matches!(window().judge(&before, at(0)), WindowVerdict::Open { samples: 0, .. }));
    }

    proptest! {
        /// Two watchdogs, or one that was away for a while, must not come to different ends.
        #[test]
        fn a_verdict_holds_whenever_it_is_looked_at(
            steps in proptest::collection::vec((0i64..12, any::<bool>(), 0u8..4), 0..40),
            early in 0i64..90,
            later in 0i64..90,
        ) {
            let mut now = 0;
            let all: Vec<_> = steps.into_iter().map(|(step, healthy, who)| {
                now += step;
                sample(now, if who == 0 { "b" } else { "a" }, healthy)
            }).collect();
            let known: Vec<_> = all.iter().filter(|sample| sample.at <= at(early)).cloned().collect();
            let first = window().judge(&known, at(early));
            prop_assert_eq!(&first, &window().judge(&all, at(early)));
            if !matches!(first, WindowVerdict::Open { .. }) {
                prop_assert_eq!(first, window().judge(&all, at(early + later)));
            }
        }

        #[test]
        fn nothing_passes_without_the_whole_time_and_enough_healthy_samples(
            steps in proptest::collection::vec((0i64..12, any::<bool>()), 0..40),
        ) {
            let mut now = 0;
            let all: Vec<_> = steps.into_iter().map(|(step, healthy)| { now += step; sample(now, "a", healthy) }).collect();
            if let WindowVerdict::Passed { samples, seconds } = window().judge(&all, at(200)) {
                let taken = &all[..usize::try_from(samples).unwrap()];
                prop_assert!(samples >= 4 && seconds >= 30);
                prop_assert!(taken.iter().filter(|sample| !sample.healthy).count() <= 1);
                prop_assert!(taken.windows(2).all(|pair| pair[1].at - pair[0].at <= Duration::seconds(10)));
                prop_assert!(taken[0].at <= at(20) && taken.last().unwrap().at <= at(60));
            }
        }
    }
}
