//! Check runs.

use axum::http::header::LINK;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::body::Body;
use super::call::Call;
use super::error::ApiError;
use super::pull_json;
use super::reply::Reply;
use super::repository_json::{app, node_id};
use super::route::{ApiResult, Route};
use crate::clock;
use crate::control::{CheckConclusion, CheckOutcome};
use crate::git::Oid;
use crate::state::{CheckRecord, State};

/// GitHub takes no longer summary or text, in characters.
const LONGEST_TEXT: usize = 65_535;

/// GitHub takes no more annotations in one request.
const MOST_ANNOTATIONS: usize = 50;

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        template: "/repos/{owner}/{repo}/check-runs",
        docs: "checks/runs#create-a-check-run",
        run: |call| Box::pin(create(call)),
    },
    Route {
        method: "GET",
        template: "/repos/{owner}/{repo}/check-runs/{check_run_id}",
        docs: "checks/runs#get-a-check-run",
        run: |call| Box::pin(get(call)),
    },
    Route {
        method: "PATCH",
        template: "/repos/{owner}/{repo}/check-runs/{check_run_id}",
        docs: "checks/runs#update-a-check-run",
        run: |call| Box::pin(update(call)),
    },
    Route {
        method: "GET",
        template: "/repos/{owner}/{repo}/commits/{ref}/check-runs",
        docs: "checks/runs#list-check-runs-for-a-git-reference",
        run: |call| Box::pin(list(call)),
    },
];

fn check_json(call: &Call<'_>, state: &State, sha: Oid, check: &CheckRecord) -> Value {
    let urls = call.urls();
    let url = urls.api(format_args!("check-runs/{}", check.id));
    let pulls: Vec<Value> = state
        .pulls
        .values()
        .filter(|pull| pull.open && pull.head_sha == sha)
        .map(|pull| pull_json::minimal(call.world, pull))
        .collect();
    json!({
        "id": check.id,
        "head_sha": sha,
        "node_id": node_id("CheckRun", check.id),
        "external_id": check.external_id,
        "url": url,
        "html_url": urls.html(format_args!("runs/{}", check.id)),
        "details_url": check.details_url,
        "status": check.outcome.status(),
        "conclusion": check.outcome.conclusion().map(CheckConclusion::as_str),
        "started_at": clock::text(check.started_at),
        "completed_at": check.completed_at.map(clock::text),
        "output": {
            "title": check.title,
            "summary": check.summary,
            "text": check.text,
            "annotations_count": check.annotations.len(),
            "annotations_url": format!("{url}/annotations"),
        },
        "name": check.name,
        "check_suite": {"id": check.app.id()},
        "app": app(&check.app),
        "pull_requests": pulls,
    })
}

/// Takes over what the body says of a check run.
fn apply(body: &Body, check: &mut CheckRecord) -> Result<(), ApiError> {
    let invalid = |field: &str, code: &str| ApiError::invalid_field("CheckRun", field, code);
    let time = |name: &str| -> Result<Option<DateTime<Utc>>, ApiError> {
        let text = body.string(name)?;
        let read = |text: &str| DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc());
        text.map(|text| read(text).ok_or_else(|| invalid(name, "invalid"))).transpose()
    };
    let text = |name: &str, field: &mut Option<String>| -> Result<(), ApiError> {
        if let Some(text) = body.string(name)? {
            *field = Some(text.to_owned());
        }
        Ok(())
    };
    let conclusion = match body.string("conclusion")? {
        None => None,
        Some(word) => Some(CheckConclusion::parse(word).ok_or_else(|| invalid("conclusion", "invalid"))?),
    };
    check.outcome = match (body.string("status")?, conclusion) {
        (_, Some(conclusion)) => CheckOutcome::Completed(conclusion),
        (None, None) => check.outcome,
        (Some("queued" | "waiting" | "requested" | "pending"), None) => CheckOutcome::Queued,
        (Some("in_progress"), None) => CheckOutcome::InProgress,
        (Some("completed"), None) if check.outcome.conclusion().is_some() => check.outcome,
        (Some("completed"), None) => return Err(invalid("conclusion", "missing_field")),
        (Some(_), None) => return Err(invalid("status", "invalid")),
    };
    if let Some(name) = body.string("name")? {
        name.clone_into(&mut check.name);
    }
    text("external_id", &mut check.external_id)?;
    text("details_url", &mut check.details_url)?;
    if let Some(at) = time("started_at")? {
        check.started_at = at;
    }
    check.completed_at = match check.outcome.conclusion() {
        None => None,
        Some(_) => time("completed_at")?.or(check.completed_at).or_else(|| Some(clock::now())),
    };
    if let Some(output) = body.object("output")? {
        let within = |text: &str| text.chars().count() <= LONGEST_TEXT;
        let summary = output.required("summary")?;
        let text = output.string("text")?;
        if !within(summary) || !text.is_none_or(within) {
            return Err(invalid("output", "too_long"));
        }
        check.title = output.string("title")?.map(str::to_owned);
        check.summary = Some(summary.to_owned());
        check.text = text.map(str::to_owned);
        let annotations = output.list("annotations")?.map(Vec::as_slice).unwrap_or_default();
        if annotations.len() > MOST_ANNOTATIONS {
            return Err(invalid("annotations", "invalid"));
        }
        // Those of an earlier request stay.
        check.annotations.extend_from_slice(annotations);
    }
    Ok(())
}

async fn create(call: &Call<'_>) -> ApiResult {
    call.must_write_checks()?;
    let body = call.body()?;
    let world = call.world;
    let (name, head) = (body.required("name")?, body.required("head_sha")?);
    let sha = Oid::parse(head).ok_or_else(|| ApiError::no_commit(head))?;
    if world.git.info(sha).await?.is_none_or(|info| info.kind != "commit") {
        return Err(ApiError::no_commit(head));
    }
    let mut store = world.store.lock().await;
    let id = store.state.next_id();
    let app = world.config.app.clone();
    let mut check = CheckRecord::new(id, name.to_owned(), CheckOutcome::Queued, app);
    apply(&body, &mut check)?;
    let shown = check_json(call, &store.state, sha, &check);
    store.state.checks.entry(sha).or_default().push(check);
    store.save()?;
    world.advance_queues(&mut store).await?;
    Ok(Reply::created(shown))
}

async fn get(call: &Call<'_>) -> ApiResult {
    let id = call.number("check_run_id")?;
    let mut store = call.world.store.lock().await;
    let (sha, check) = store.state.check_mut(id).ok_or_else(ApiError::not_found)?;
    let check = check.clone();
    Ok(Reply::ok(check_json(call, &store.state, sha, &check)))
}

async fn update(call: &Call<'_>) -> ApiResult {
    call.must_write_checks()?;
    let id = call.number("check_run_id")?;
    let body = call.body()?;
    let mut store = call.world.store.lock().await;
    let (sha, check) = store.state.check_mut(id).ok_or_else(ApiError::not_found)?;
    if check.app != call.world.config.app {
        return Err(ApiError::not_for_apps());
    }
    let mut changed = check.clone();
    apply(&body, &mut changed)?;
    *check = changed.clone();
    store.save()?;
    let shown = check_json(call, &store.state, sha, &changed);
    call.world.advance_queues(&mut store).await?;
    Ok(Reply::ok(shown))
}

async fn list(call: &Call<'_>) -> ApiResult {
    let name = call.param("ref");
    let resolved = call.world.resolve(name).await?;
    let sha = resolved.ok_or_else(|| ApiError::no_commit(name))?;
    let store = call.world.store.lock().await;
    let mut checks: Vec<&CheckRecord> = if call.query("filter") == Some("all") {
        store.state.checks.get(&sha).into_iter().flatten().rev().collect()
    } else {
        store.state.latest_checks(sha)
    };
    let app_id = call.query("app_id").and_then(|id| id.parse::<u64>().ok());
    checks.retain(|check| {
        call.query("check_name").is_none_or(|name| name == check.name)
            && call.query("status").is_none_or(|status| status == check.outcome.status())
            && app_id.is_none_or(|id| id == check.app.id())
    });
    let page = call.page();
    let shown: Vec<Value> =
        page.of_list(&checks).iter().map(|check| check_json(call, &store.state, sha, check)).collect();
    let links = page.links(call, checks.len());
    let body = json!({"total_count": checks.len(), "check_runs": shown});
    Ok(Reply::ok(body).with(LINK, links.as_deref()))
}
