//! When GitHub asks to wait, and for how long.

use std::time::Duration;

use chrono::DateTime;
use http::{HeaderMap, StatusCode};

/// How long to wait where nothing says it.
const UNSAID: Duration = Duration::from_mins(1);

/// How long an answer asks to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AskedWait {
    /// The time.
    pub(crate) time: Duration,
    /// Whether the answer says it. Otherwise it is the least that GitHub's documentation asks for.
    pub(crate) said: bool,
}

impl AskedWait {
    const fn said(time: Duration) -> Self {
        Self { time, said: true }
    }

    /// A limit without a word on how long it lasts.
    pub(crate) const UNSAID: Self = Self { time: UNSAID, said: false };
}

/// How long an answer asks to wait: nothing if it is not about a limit.
///
/// A limit is a 429, or a 403 that carries one of its signs: `retry-after`, no requests remaining, or the words of the
/// secondary limits. The reset is an instant of GitHub's clock, so it is measured against the answer's own date.
pub(crate) fn asked_wait(status: StatusCode, headers: &HeaderMap, message: &str) -> Option<AskedWait> {
    if status != StatusCode::FORBIDDEN && status != StatusCode::TOO_MANY_REQUESTS {
        return None;
    }
    if let Some(seconds) = number(headers, "retry-after") {
        return Some(AskedWait::said(Duration::from_secs(seconds)));
    }
    if let Some((0, reset)) = remaining(headers) {
        return Some(reset.map_or(AskedWait::UNSAID, AskedWait::said));
    }
    let message = message.to_ascii_lowercase();
    let told = ["rate limit", "abuse detection"].iter().any(|words| message.contains(words));
    (told || status == StatusCode::TOO_MANY_REQUESTS).then_some(AskedWait::UNSAID)
}

/// How many requests remain of the hour, and how long the hour still lasts, if an answer says it.
pub(crate) fn remaining(headers: &HeaderMap) -> Option<(u64, Option<Duration>)> {
    let remaining = number(headers, "x-ratelimit-remaining")?;
    let now = headers.get("date").and_then(|date| DateTime::parse_from_rfc2822(date.to_str().ok()?).ok());
    let now = now.and_then(|now| u64::try_from(now.timestamp()).ok());
    let left = number(headers, "x-ratelimit-reset").zip(now).map(|(reset, now)| reset.saturating_sub(now).max(1));
    Some((remaining, left.map(Duration::from_secs)))
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(status: u16, headers: &[(&'static str, &str)], message: &str) -> Option<u64> {
        let headers = headers.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()));
        asked_wait(StatusCode::from_u16(status).unwrap(), &headers.collect(), message).map(|wait| wait.time.as_secs())
    }

    #[test]
    fn each_sign_of_a_limit_is_seen() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let spent = ("x-ratelimit-remaining", "0");
        assert_eq!(wait(403, &[("retry-after", "7"), spent], ""), Some(7));
        assert_eq!(wait(429, &[spent, ("x-ratelimit-reset", "784112577"), date], ""), Some(800));
        assert_eq!(wait(403, &[spent, ("x-ratelimit-reset", "784111777"), date], ""), Some(1));
        assert_eq!(wait(403, &[spent, ("x-ratelimit-reset", "1")], ""), Some(60));
        assert_eq!(wait(403, &[], "You have exceeded a secondary rate limit."), Some(60));
        assert_eq!(wait(429, &[], ""), Some(60));
        assert_eq!(wait(429, &[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")], ""), Some(60));
    }

    #[test]
    fn a_plain_refusal_is_no_limit() {
        assert_eq!(wait(403, &[("x-ratelimit-remaining", "4999")], "Resource not accessible by integration"), None);
        assert_eq!(wait(500, &[("retry-after", "7")], "rate limit"), None);
        assert_eq!(wait(404, &[("x-ratelimit-remaining", "0")], ""), None);
    }
}
