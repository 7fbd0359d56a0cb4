//! The rate limit, which a twin has in name only.

use std::future::ready;

use chrono::{DurationRound as _, TimeDelta};
use serde_json::{Value, json};

use super::call::Call;
use super::reply::Reply;
use super::route::Route;
use crate::clock;

/// GitHub's limit for a user's token, in requests an hour.
pub(crate) const LIMIT: u32 = 5000;

pub(super) const ROUTES: &[Route] = &[Route {
    method: "GET",
    template: "/rate_limit",
    docs: "rate-limit/rate-limit#get-rate-limit-status-for-the-authenticated-user",
    run: |call| Box::pin(ready(Ok(get(call)))),
}];

/// The end of the hour, in seconds since 1970.
pub(crate) fn reset() -> i64 {
    let hour = TimeDelta::hours(1);
    let now = clock::now();
    (now.duration_trunc(hour).unwrap_or(now) + hour).timestamp()
}

fn get(_: &Call<'_>) -> Reply {
    let core = unused(LIMIT);
    Reply::ok(json!({
        "resources": {
            "core": core,
            "search": unused(30),
            "graphql": unused(LIMIT),
        },
        "rate": core,
    }))
}

fn unused(limit: u32) -> Value {
    json!({"limit": limit, "remaining": limit, "reset": reset(), "used": 0})
}
