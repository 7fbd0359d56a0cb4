//! Telling those who look what a promotion waits for.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::{Either, select};
use futures::task::AtomicWaker;
use selfext_domain::ports::{Clock, RestListener, Waits};
use selfext_domain::{ContextFinding, ContextVerdict, RunId, TeamName};

use crate::Pipeline;

/// How long a drive that is over is held up at most by saying so.
const LAST_WORD: Duration = Duration::from_secs(1);

/// A rest that ends so much later than another one is not worth another word.
const SAME_TIME: TimeDelta = TimeDelta::seconds(1);

/// How many contexts or teams are named.
const NAMED: usize = 5;

/// What one drive of a run waits for. Whoever waits says it here and goes on; it is told beside the drive, one word after another, so
/// that none overtakes another. For people alone: that it could not be told changes nothing, and is not tried again.
pub(crate) struct Telling {
    clock: Arc<dyn Clock>,
    now: Mutex<Now>,
    news: AtomicWaker,
}

#[derive(Default)]
struct Now {
    /// What it waits for between its requests.
    waiting: Option<Word>,
    /// What its requests wait for, which comes first: without them nothing else goes on.
    resting: Option<Word>,
    /// How many requests rest.
    rests: u32,
    /// Whether the drive is over.
    over: bool,
}

#[derive(Clone, PartialEq, Eq)]
struct Word {
    what: String,
    until: DateTime<Utc>,
}

/// What is to be told next.
enum Next {
    Begin(Word),
    TakeBack,
    /// The drive is over, and nothing is left to be taken back.
    Nothing,
}

impl Telling {
    pub(crate) fn by(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { clock, now: Mutex::default(), news: AtomicWaker::new() })
    }

    /// Waits for something, until this time at most. That goes on to be told until something else is waited for, or it is
    /// [over](Self::over).
    pub(crate) async fn during(&self, what: String, until: DateTime<Utc>, waiting: impl Future<Output = ()>) {
        self.change(|now| now.waiting = Some(Word { what, until }));
        waiting.await;
    }

    /// Nothing is waited for any more.
    pub(crate) fn over(&self) {
        self.change(|now| now.waiting = None);
    }

    /// Drives, and tells meanwhile. What was told is taken back at the end.
    pub(crate) async fn beside<T>(&self, pipeline: &Pipeline, run: &RunId, driving: impl Future<Output = T>) -> T {
        let Some(waits) = &pipeline.waits else { return driving.await };
        let telling = self.tell(&**waits, run, &pipeline.config.holder);
        match select(pin!(telling), pin!(driving)).await {
            // It ends after the drive alone.
            Either::Left(((), driving)) => driving.await,
            Either::Right((driven, telling)) => {
                self.change(|now| now.over = true);
                select(telling, self.clock.sleep(LAST_WORD)).await;
                driven
            }
        }
    }

    async fn tell(&self, waits: &dyn Waits, run: &RunId, holder: &str) {
        let mut told = None;
        loop {
            let _best_effort = match poll_fn(|context| self.poll_other_than(told.as_ref(), context)).await {
                Next::Begin(word) => {
                    let Word { what, until } = told.insert(word);
                    let left = (*until - self.clock.now()).to_std().unwrap_or_default();
                    waits.begin(run, holder, what, left).await
                }
                Next::TakeBack => {
                    told = None;
                    waits.end(run, holder).await
                }
                Next::Nothing => return,
            };
        }
    }

    /// What is to be told now, once that is something else than what was told.
    fn poll_other_than(&self, told: Option<&Word>, context: &Context<'_>) -> Poll<Next> {
        // Before the look, so that no news is missed.
        self.news.register(context.waker());
        let now = self.now();
        let word = now.resting.as_ref().or(now.waiting.as_ref()).filter(|_| !now.over);
        match word {
            Some(word) if told != Some(word) => Poll::Ready(Next::Begin(word.clone())),
            None if told.is_some() => Poll::Ready(Next::TakeBack),
            None if now.over => Poll::Ready(Next::Nothing),
            _ => Poll::Pending,
        }
    }

    fn change(&self, change: impl FnOnce(&mut Now)) {
        change(&mut self.now());
        self.news.wake();
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RestListener for Telling {
    fn begin(&self, what: &str, at_most: Duration) {
        let until = TimeDelta::from_std(at_most).ok().and_then(|time| self.clock.now().checked_add_signed(time));
        let until = until.unwrap_or(DateTime::<Utc>::MAX_UTC);
        self.change(|now| {
            now.rests += 1;
            if now.resting.as_ref().is_none_or(|known| until - known.until > SAME_TIME) {
                now.resting = Some(Word { what: what.to_owned(), until });
            }
        });
    }

    fn end(&self) {
        self.change(|now| {
            now.rests = now.rests.saturating_sub(1);
            if now.rests == 0 {
                now.resting = None;
            }
        });
    }
}

/// The contexts that are not green, as what is waited for.
pub(crate) fn checks(findings: &[ContextFinding], word: fn(ContextVerdict) -> &'static str) -> String {
    let waiting = findings.iter().filter(|finding| finding.verdict != ContextVerdict::Success);
    named("checks", waiting.map(|finding| format!("{} is {}", finding.context, word(finding.verdict))).collect())
}

/// The teams of which nobody approved, as what is waited for.
pub(crate) fn teams(teams: &[TeamName]) -> String {
    named("an approval by a member of each team", teams.iter().map(ToString::to_string).collect())
}

fn named(what: &str, mut names: Vec<String>) -> String {
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{what} ({}{more})", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_names_the_first_are_told_and_the_others_counted() {
        let names = |count: usize| (1..=count).map(|name| name.to_string()).collect();
        assert_eq!(named("checks", names(1)), "checks (1)");
        assert_eq!(named("checks", names(5)), "checks (1, 2, 3, 4, 5)");
        assert_eq!(named("checks", names(7)), "checks (1, 2, 3, 4, 5 and 2 more)");
    }
}
