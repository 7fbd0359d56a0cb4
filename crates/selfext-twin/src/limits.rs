//! GitHub's rate limits, as small as a test wants them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;

use crate::api::{RATE_LIMIT, Reply, rate_limit_reset};
use crate::clock;

/// How many requests a client may make. GitHub's primary limit counts requests an hour, its secondary one, among others,
/// those that make something in a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// What stands for the hour and for the minute; whole seconds.
    pub window: Duration,
    /// Requests of one window. One that is answered 304 is not counted.
    pub requests: u32,
    /// Requests in any time as long as the window that are no `GET`.
    pub writes: u32,
    /// Whether a refusal over writes says in `retry-after` how long it lasts.
    pub says_how_long: bool,
}

/// The limits in force, and what was asked so far.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    inner: Mutex<Option<Counted>>,
}

#[derive(Debug)]
struct Counted {
    limits: Limits,
    window_began: Instant,
    /// The end of the window in the form in which headers tell it, in seconds since 1970.
    window_ends: i64,
    requests: u32,
    writes: VecDeque<Instant>,
    /// When nothing is refused any more, and when that was first said.
    refused: Option<(Instant, Instant)>,
    while_refused: Vec<Duration>,
}

/// What every answer says about the primary limit.
pub(crate) struct Standing {
    limit: u32,
    used: u32,
    reset: i64,
}

impl Standing {
    pub(crate) fn headers(&self) -> [(HeaderName, HeaderValue); 5] {
        let header = |name: &'static str, value: HeaderValue| (HeaderName::from_static(name), value);
        [
            header("x-ratelimit-limit", self.limit.into()),
            header("x-ratelimit-remaining", self.limit.saturating_sub(self.used).into()),
            header("x-ratelimit-reset", self.reset.into()),
            header("x-ratelimit-used", self.used.into()),
            header("x-ratelimit-resource", HeaderValue::from_static("core")),
        ]
    }
}

impl Meter {
    pub(crate) fn set(&self, limits: Option<Limits>) {
        *self.inner() = limits.map(Counted::new);
    }

    /// Counts a request that is about to be served, or refuses it.
    pub(crate) fn admit(&self, method: &str) -> Option<Reply> {
        self.inner().as_mut()?.admit(method, Instant::now())
    }

    /// Takes back the count of a request that was answered 304.
    pub(crate) fn uncount(&self) {
        if let Some(counted) = self.inner().as_mut() {
            counted.requests = counted.requests.saturating_sub(1);
        }
    }

    pub(crate) fn standing(&self) -> Standing {
        match self.inner().as_ref() {
            Some(counted) => {
                Standing { limit: counted.limits.requests, used: counted.requests, reset: counted.window_ends }
            }
            None => Standing { limit: RATE_LIMIT, used: 0, reset: rate_limit_reset() },
        }
    }

    /// For each request that came although a refusal was in force: how long after the refusal was first said.
    pub(crate) fn while_refused(&self) -> Vec<Duration> {
        self.inner().as_ref().map(|counted| counted.while_refused.clone()).unwrap_or_default()
    }

    fn inner(&self) -> MutexGuard<'_, Option<Counted>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    fn new(limits: Limits) -> Self {
        let now = Instant::now();
        let mut new = Self {
            limits,
            window_began: now,
            window_ends: 0,
            requests: 0,
            writes: VecDeque::new(),
            refused: None,
            while_refused: Vec::new(),
        };
        new.begin_window(now);
        new
    }

    fn begin_window(&mut self, now: Instant) {
        self.window_began = now;
        self.requests = 0;
        let seconds = i64::try_from(self.limits.window.as_secs()).unwrap_or(i64::MAX);
        // The clock shows whole seconds: one more is never too early.
        self.window_ends = clock::now().timestamp().saturating_add(seconds).saturating_add(1);
    }

    fn admit(&mut self, method: &str, now: Instant) -> Option<Reply> {
        if now >= self.window_began + self.limits.window + Duration::from_secs(1) {
            self.begin_window(now);
        }
        if let Some((until, since)) = self.refused {
            if now < until {
                self.while_refused.push(now - since);
                return Some(self.secondary(until - now));
            }
            self.refused = None;
        }
        if self.requests >= self.limits.requests {
            return Some(refusal("API rate limit exceeded for user ID 1."));
        }
        let is_write = method != "GET";
        while self.writes.front().is_some_and(|at| now - *at >= self.limits.window) {
            self.writes.pop_front();
        }
        if is_write && self.writes.len() >= self.limits.writes as usize {
            self.refused = Some((now + self.limits.window, now));
            return Some(self.secondary(self.limits.window));
        }
        if is_write {
            self.writes.push_back(now);
        }
        self.requests += 1;
        None
    }

    fn secondary(&self, left: Duration) -> Reply {
        let mut reply = refusal(
            "You have exceeded a secondary rate limit and have been temporarily blocked from content creation. Please \
             retry your request again later.",
        );
        if self.limits.says_how_long {
            let seconds = left.as_millis().div_ceil(1000);
            reply.headers.push((RETRY_AFTER, HeaderValue::from(u64::try_from(seconds).unwrap_or(u64::MAX))));
        }
        reply
    }
}

fn refusal(message: &str) -> Reply {
    let body = json!({
        "message": message,
        "documentation_url": "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api",
    });
    Reply::json(StatusCode::FORBIDDEN, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_limits_refuse_and_end() {
        let limits = Limits { window: Duration::from_secs(2), requests: 5, writes: 2, says_how_long: true };
        let mut counted = Counted::new(limits);
        let begin = counted.window_began;
        let mut at = |method, millis| counted.admit(method, begin + Duration::from_millis(millis)).is_none();
        assert!(at("POST", 0) && at("PUT", 10));
        assert!(!at("PATCH", 20) && !at("GET", 30));
        assert!(at("GET", 2_021) && at("POST", 2_022) && at("GET", 2_023));
        assert!(!at("GET", 2_024));
        assert!(at("GET", 3_001));
        assert_eq!(counted.while_refused, [Duration::from_millis(10)]);
    }
}
