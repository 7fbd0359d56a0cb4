//! The one place where the twin reads the clock.

use chrono::{DateTime, SubsecRound, Utc};

/// The time, in whole seconds, as GitHub shows times.
#[expect(clippy::disallowed_methods, reason = "a server is the edge: nobody could pass it the time of each request")]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(0)
}

/// A time in GitHub's form, such as `2011-01-26T19:01:12Z`.
pub(crate) fn text(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
