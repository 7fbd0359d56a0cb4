//! Waiting for one's turn, and for the end of a limit.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::Budget;
use super::pace::Pace;
use crate::answer::Answer;
use crate::rate_limit::AskedWait;

/// How many reads are under way at the same time. GitHub allows 100 requests of one token, of all processes together.
const READS_AT_ONCE: usize = 20;

/// The longest wait after a limit without a word on how long it lasts.
const MAX_UNSAID: Duration = Duration::from_mins(16);

/// What a request does, and which of GitHub's counters it moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It only reads.
    Read,
    /// It changes something: one at a time.
    Write,
}

/// The wait would be longer than the request may wait; it was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("GitHub's limits ask to wait {} seconds", .retry_after.as_secs())]
pub(crate) struct Limited {
    /// How long it would be.
    pub(crate) retry_after: Duration,
}

/// The turn of one request; it ends when this is dropped.
#[must_use]
pub(crate) struct Turn<'a> {
    kind: Kind,
    _place: Option<SemaphorePermit<'a>>,
}

/// The limits of one credential. Turns are given in the order in which they were asked for, and last until the request was obeyed or
/// is given up.
#[derive(Debug)]
pub(crate) struct Limiter {
    state: Mutex<State>,
    reads: Semaphore,
    writes: Semaphore,
}

#[derive(Debug, Default)]
struct State {
    /// Until when nothing may be sent.
    until: Option<Instant>,
    /// How many limits without a word on their length came one after another.
    unsaid: u32,
    reads: Pace,
    writes: Pace,
}

impl Default for Limiter {
    fn default() -> Self {
        Self { state: Mutex::default(), reads: Semaphore::new(READS_AT_ONCE), writes: Semaphore::new(1) }
    }
}

impl Limiter {
    /// Waits for the turn of a request, at most until `deadline`. What is certain to take longer is refused at once.
    pub(crate) async fn turn(&self, kind: Kind, budget: &Budget, deadline: Instant) -> Result<Turn<'_>, Limited> {
        self.refuse_what_is_late(kind, budget, deadline)?;
        let places = match kind {
            Kind::Read => Some(&self.reads),
            // A server that counts nothing need not be asked for one write after the other: one that hangs holds up no other.
            Kind::Write => Some(&self.writes).filter(|_| budget.spaces_writes()),
        };
        let place = match places {
            None => None,
            // A semaphore that nobody closes gives its places in order.
            Some(places) => match timeout_at(deadline, places.acquire()).await {
                Ok(Ok(place)) => Some(place),
                _ => return Err(self.limited(kind, budget)),
            },
        };
        self.due(kind, budget, deadline).await?;
        Ok(Turn { kind, _place: place })
    }

    /// Waits until the request whose turn it is may be sent again, after a limit refused it, at most until `deadline`. It keeps its
    /// place: nobody who asked later comes before it.
    pub(crate) async fn again(&self, turn: &Turn<'_>, budget: &Budget, deadline: Instant) -> Result<(), Limited> {
        self.due(turn.kind, budget, deadline).await
    }

    async fn due(&self, kind: Kind, budget: &Budget, deadline: Instant) -> Result<(), Limited> {
        self.refuse_what_is_late(kind, budget, deadline)?;
        let at = self.take(kind, budget);
        self.sleep(kind, at, deadline, budget).await?;
        // The limit may have come, or become longer, while this one waited.
        while let Some(left) = self.limited_for() {
            self.sleep(kind, Instant::now() + left, deadline, budget).await?;
        }
        Ok(())
    }

    async fn sleep(&self, kind: Kind, at: Instant, deadline: Instant, budget: &Budget) -> Result<(), Limited> {
        if at > deadline.max(Instant::now()) {
            return Err(self.limited(kind, budget));
        }
        let wait = at.saturating_duration_since(Instant::now());
        if wait > Duration::from_secs(1) {
            tracing::info!(?kind, seconds = wait.as_secs(), "waiting for GitHub's limits");
        }
        sleep_until(at).await;
        Ok(())
    }

    /// Notes what an answer says about the limits.
    pub(crate) fn learn(&self, answer: &Answer, budget: &Budget) {
        if let Some(wait) = answer.asked_wait() {
            return self.limit(wait);
        }
        let mut state = self.state();
        state.unsaid = 0;
        if let Some((remaining, reset)) = answer.remaining()
            && remaining <= budget.reserve
        {
            state.put_off(Instant::now() + reset);
        }
    }

    /// Notes that a request was refused for a limit.
    pub(crate) fn limit(&self, wait: AskedWait) {
        let now = Instant::now();
        let mut state = self.state();
        // Requests that were under way at the same time meet the same limit.
        let new = state.until.is_none_or(|until| until <= now);
        let time = if wait.said || !new {
            wait.time
        } else {
            // Grows from one limit to the next, as GitHub's documentation asks for.
            (wait.time * 2_u32.saturating_pow(state.unsaid)).min(MAX_UNSAID)
        };
        state.unsaid = state.unsaid.saturating_add(u32::from(new)).min(8);
        state.put_off(now + time);
    }

    /// How long nothing may be sent from now on.
    pub(crate) fn limited_for(&self) -> Option<Duration> {
        let until = self.state().until?;
        Some(until.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
    }

    fn take(&self, kind: Kind, budget: &Budget) -> Instant {
        let now = Instant::now();
        let mut state = self.state();
        match kind {
            Kind::Read => state.reads.take(now, budget.reads_per_minute, budget.read_burst),
            Kind::Write => state.writes.take(now, budget.writes_per_minute, budget.write_burst),
        }
    }

    fn refuse_what_is_late(&self, kind: Kind, budget: &Budget, deadline: Instant) -> Result<(), Limited> {
        let limited = self.limited(kind, budget);
        let waits = !limited.retry_after.is_zero();
        if waits && Instant::now() + limited.retry_after > deadline { Err(limited) } else { Ok(()) }
    }

    /// How long a request would wait at least that asked for its turn now.
    fn limited(&self, kind: Kind, budget: &Budget) -> Limited {
        let now = Instant::now();
        let state = self.state();
        let next = match kind {
            Kind::Read => state.reads.next(now, budget.reads_per_minute, budget.read_burst),
            Kind::Write => state.writes.next(now, budget.writes_per_minute, budget.write_burst),
        };
        let at = state.until.map_or(next, |until| until.max(next));
        Limited { retry_after: at.saturating_duration_since(now) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn put_off(&mut self, until: Instant) {
        self.until = Some(self.until.map_or(until, |known| known.max(until)));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use http::{HeaderMap, HeaderValue, StatusCode};

    use super::*;

    const BUDGET: Budget = Budget {
        writes_per_minute: 60,
        write_burst: 1,
        reads_per_minute: 600,
        read_burst: 100,
        reserve: 10,
        max_wait: Duration::from_mins(2),
    };

    fn answer(status: u16, headers: &[(&'static str, &'static str)]) -> Answer {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        Answer { status: StatusCode::from_u16(status).unwrap(), headers, body: Vec::new() }
    }

    fn soon(millis: u64) -> Instant {
        Instant::now() + Duration::from_millis(millis)
    }

    /// As if the limit were over.
    fn end_limit(limiter: &Limiter) {
        limiter.state().until = Some(Instant::now());
    }

    #[tokio::test]
    async fn writes_go_one_after_another_in_their_order_and_spaced() {
        let (limiter, budget) = (Limiter::default(), Budget { writes_per_minute: 1_200, ..BUDGET });
        let (begin, under_way, order) = (Instant::now(), AtomicU32::new(0), Mutex::new(Vec::new()));
        futures::future::join_all((0..4_u32).map(|number| {
            let (limiter, under_way, order) = (&limiter, &under_way, &order);
            async move {
                let turn = limiter.turn(Kind::Write, &budget, soon(60_000)).await.unwrap();
                assert_eq!(under_way.fetch_add(1, Ordering::Relaxed), 0);
                assert!(begin.elapsed() >= Duration::from_millis(50) * number);
                tokio::task::yield_now().await;
                under_way.fetch_sub(1, Ordering::Relaxed);
                order.lock().unwrap().push(number);
                drop(turn);
            }
        }))
        .await;
        assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3]);
    }

    #[tokio::test]
    async fn where_nothing_is_counted_a_write_that_hangs_holds_up_no_other() {
        let limiter = Limiter::default();
        let hanging = limiter.turn(Kind::Write, &Budget::UNPACED, soon(60_000)).await.unwrap();
        drop(limiter.turn(Kind::Write, &Budget::UNPACED, soon(60_000)).await.unwrap());
        drop(hanging);
    }

    #[tokio::test]
    async fn nothing_is_sent_while_limited_and_what_would_wait_too_long_fails_at_once() {
        let limiter = Limiter::default();
        limiter.learn(&answer(429, &[("retry-after", "3000")]), &BUDGET);
        let late = limiter.turn(Kind::Read, &BUDGET, soon(1_000_000)).await.err().unwrap();
        assert_eq!(late.retry_after.as_secs().div_ceil(10), 300);
        let until = soon(100);
        limiter.state().until = Some(until);
        let _turn = limiter.turn(Kind::Read, &BUDGET, soon(60_000)).await.unwrap();
        assert!(Instant::now() >= until);
    }

    #[test]
    fn a_limit_without_a_word_lasts_a_minute_and_the_next_one_longer() {
        let limiter = Limiter::default();
        let minutes = |limiter: &Limiter| limiter.limited_for().map(|left| left.as_secs().div_ceil(60));
        for expected in [1, 2, 4, 8, 16, 16] {
            limiter.learn(&answer(429, &[]), &BUDGET);
            // Those that were on their way at the same time meet the same limit.
            limiter.learn(&answer(429, &[]), &BUDGET);
            assert_eq!(minutes(&limiter), Some(expected));
            end_limit(&limiter);
            assert_eq!(minutes(&limiter), None);
        }
        limiter.learn(&answer(200, &[]), &BUDGET);
        limiter.learn(&answer(429, &[]), &BUDGET);
        assert_eq!(minutes(&limiter), Some(1));
    }

    #[test]
    fn the_reserve_is_left_to_others_until_the_hour_is_over() {
        let limiter = Limiter::default();
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let reset = ("x-ratelimit-reset", "784112077");
        limiter.learn(&answer(200, &[date, reset, ("x-ratelimit-remaining", "11")]), &BUDGET);
        assert_eq!(limiter.limited_for(), None);
        limiter.learn(&answer(200, &[date, reset, ("x-ratelimit-remaining", "10")]), &BUDGET);
        assert_eq!(limiter.limited_for().unwrap().as_secs().div_ceil(60), 5);
    }

    #[tokio::test]
    async fn a_request_that_a_limit_refused_keeps_its_place() {
        let (limiter, budget) = (Limiter::default(), Budget { writes_per_minute: 60_000, ..BUDGET });
        let order = Mutex::new(Vec::new());
        let first = async {
            let turn = limiter.turn(Kind::Write, &budget, soon(60_000)).await.unwrap();
            tokio::task::yield_now().await;
            let until = soon(50);
            limiter.state().until = Some(until);
            limiter.again(&turn, &budget, soon(60_000)).await.unwrap();
            assert!(Instant::now() >= until);
            order.lock().unwrap().push(1);
        };
        let second = async {
            let _turn = limiter.turn(Kind::Write, &budget, soon(60_000)).await.unwrap();
            order.lock().unwrap().push(2);
        };
        futures::future::join(first, second).await;
        assert_eq!(*order.lock().unwrap(), [1, 2]);
        let turn = limiter.turn(Kind::Write, &budget, soon(60_000)).await.unwrap();
        limiter.state().until = Some(soon(10_000));
        assert!(limiter.again(&turn, &budget, soon(5_000)).await.is_err(), "it would wait longer than it may");
    }

    #[tokio::test]
    async fn whoever_waits_in_the_row_too_long_leaves_it() {
        let limiter = Limiter::default();
        let first = limiter.turn(Kind::Write, &BUDGET, soon(60_000)).await.unwrap();
        let budget = Budget { writes_per_minute: 60_000, ..BUDGET };
        assert!(limiter.turn(Kind::Write, &budget, soon(20)).await.is_err());
        drop(first);
        assert!(limiter.turn(Kind::Write, &budget, soon(60_000)).await.is_ok());
    }
}
