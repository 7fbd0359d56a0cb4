//! Asking for a merge in the background, and asking what came of it.
//!
//! That a pull request was put into a merge queue is the last word of a request: what becomes of it there is not told here.

use std::fmt::Write as _;

use axum::http::StatusCode;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::{Value, json};

use super::call::Call;
use super::error::ApiError;
use super::reply::Reply;
use super::route::{ApiResult, Route};
use crate::clock;
use crate::control::MergeMethod;
use crate::forge::Scope;
use crate::git::Oid;
use crate::state::{MergeAction, Pull, RequestOutcome, RequestedMerge};

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "PUT",
        template: "/repos/{owner}/{repo}/pulls/{pull_number}/merge-async",
        docs: "pulls/pulls#merge-a-pull-request-asynchronously",
        run: |call| Box::pin(ask(call)),
    },
    Route {
        method: "GET",
        template: "/repos/{owner}/{repo}/pulls/{pull_number}/merge-async/{uuid}",
        docs: "pulls/pulls#get-the-result-of-an-asynchronous-merge",
        run: |call| Box::pin(result(call)),
    },
];

async fn ask(call: &Call<'_>) -> ApiResult {
    let world = call.world;
    check_there(call)?;
    let number = call.number("pull_number")?;
    let body = call.body()?;
    let method = body.word("merge_method", &["merge", "squash", "rebase"])?.and_then(MergeMethod::parse);
    let action = body.word("merge_action", &["default", "direct_merge", "merge_queue"])?.and_then(MergeAction::parse);
    let (sha, title, message) = (body.string("sha")?, body.string("commit_title")?, body.string("commit_message")?);

    let mut store = world.store.lock().await;
    world.settle(&mut store, Scope::One(number)).await?;
    let pull = store.state.pulls.get(&number).ok_or_else(ApiError::not_found)?;
    if let Some(outcome) = done_already(pull) {
        return Ok(Reply::ok(outcome_json(&outcome)));
    }
    if let Some(waiting) = store.state.waiting_merge(number) {
        return Ok(Reply::json(StatusCode::CONFLICT, waiting_json(waiting, EXISTS)));
    }
    if let Some(words) = unfit(pull, sha) {
        return Ok(Reply::json(StatusCode::BAD_REQUEST, outcome_json(&RequestOutcome::Failed(words.to_owned()))));
    }
    let request = RequestedMerge {
        uuid: new_uuid(),
        head: pull.head_sha,
        method,
        action: action.unwrap_or(MergeAction::Default),
        title: title.map(str::to_owned),
        message: message.map(str::to_owned),
        updated_at: clock::now(),
        outcome: None,
    };
    let shown = waiting_json(&request, ACCEPTED);
    store.state.add_requested_merge(number, request);
    store.save()?;
    world.merge_asked_for.notify_one();
    Ok(Reply::json(StatusCode::ACCEPTED, shown))
}

async fn result(call: &Call<'_>) -> ApiResult {
    check_there(call)?;
    let number = call.number("pull_number")?;
    let store = call.world.store.lock().await;
    let found = store.state.requested_merge(number, call.param("uuid"), clock::now());
    let request = found.ok_or_else(ApiError::not_found)?;
    Ok(Reply::ok(request.outcome.as_ref().map_or_else(|| waiting_json(request, WAITS), outcome_json)))
}

const ACCEPTED: &str = "Merge request enqueued.";
const EXISTS: &str = "A merge request already exists for this pull request.";
const WAITS: &str = "Merge request is in progress.";

/// A server from before these operations has no such routes.
fn check_there(call: &Call<'_>) -> Result<(), ApiError> {
    if call.world.knobs.is_without_async_merges() { Err(ApiError::no_route()) } else { Ok(()) }
}

/// What there is nothing left to ask for.
fn done_already(pull: &Pull) -> Option<RequestOutcome> {
    let merged = pull.merged.as_ref().map(|merged| RequestOutcome::Merged(merged.sha));
    merged.or_else(|| pull.queued.as_ref().map(|_| RequestOutcome::Enqueued))
}

fn unfit(pull: &Pull, sha: Option<&str>) -> Option<&'static str> {
    if !pull.open {
        Some("Pull request is closed")
    } else if pull.draft {
        Some("Pull Request is still a draft")
    } else if sha.is_some_and(|sha| Oid::parse(sha) != Some(pull.head_sha)) {
        Some("Head branch was modified. Review and try the merge again.")
    } else {
        None
    }
}

fn waiting_json(request: &RequestedMerge, words: &str) -> Value {
    json!({
        "status": "pending",
        "details": {
            "message": words,
            "uuid": request.uuid,
            "merge_method": request.method.map_or("default", MergeMethod::as_str),
            "merge_action": request.action.as_str(),
            "expected_head_sha": request.head,
        },
    })
}

fn outcome_json(outcome: &RequestOutcome) -> Value {
    match outcome {
        RequestOutcome::Merged(sha) => {
            json!({"status": "merged", "details": {"message": "Pull request was merged.", "sha": sha}})
        }
        RequestOutcome::Enqueued => {
            json!({"status": "enqueued", "details": {"message": "Pull request was added to the merge queue."}})
        }
        RequestOutcome::Failed(words) => json!({"status": "failed", "details": {"message": words}}),
    }
}

/// A random one, of version 4.
fn new_uuid() -> String {
    let mut random = [0; 16];
    // Without randomness all of them are the same. Only one of a pull request waits at a time, which a twin can live with.
    let _ = SystemRandom::new().fill(&mut random);
    random[6] = random[6] & 0x0f | 0x40;
    random[8] = random[8] & 0x3f | 0x80;
    let mut text = String::new();
    for (at, byte) in random.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
