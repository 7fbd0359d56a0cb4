//! Commit statuses.

use axum::http::header::LINK;
use serde_json::{Value, json};

use super::call::Call;
use super::error::ApiError;
use super::reply::Reply;
use super::repository_json::{node_id, short, user};
use super::route::{ApiResult, Route};
use super::urls::Urls;
use crate::clock;
use crate::control::StatusState;
use crate::git::Oid;
use crate::state::StatusRecord;

/// GitHub takes no longer description, in characters.
const LONGEST_DESCRIPTION: usize = 140;

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        template: "/repos/{owner}/{repo}/statuses/{sha}",
        docs: "commits/statuses#create-a-commit-status",
        run: |call| Box::pin(create(call)),
    },
    Route {
        method: "GET",
        template: "/repos/{owner}/{repo}/commits/{ref}/status",
        docs: "commits/statuses#get-the-combined-status-for-a-specific-reference",
        run: |call| Box::pin(combined(call)),
    },
    Route {
        method: "GET",
        template: "/repos/{owner}/{repo}/commits/{ref}/statuses",
        docs: "commits/statuses#list-commit-statuses-for-a-reference",
        run: |call| Box::pin(list(call)),
    },
    // GitHub's older address of the same list, which some clients still use.
    Route {
        method: "GET",
        template: "/repos/{owner}/{repo}/statuses/{ref}",
        docs: "commits/statuses#list-commit-statuses-for-a-reference",
        run: |call| Box::pin(list(call)),
    },
];

fn status_json(urls: Urls<'_>, sha: Oid, status: &StatusRecord) -> Value {
    let creator = user(urls, &status.creator);
    json!({
        "url": urls.api(format_args!("statuses/{sha}")),
        "avatar_url": creator["avatar_url"],
        "id": status.id,
        "node_id": node_id("StatusContext", status.id),
        "state": status.state.as_str(),
        "description": status.description,
        "target_url": status.target_url,
        "context": status.context,
        "created_at": clock::text(status.at),
        "updated_at": clock::text(status.at),
        "creator": creator,
    })
}

async fn create(call: &Call<'_>) -> ApiResult {
    let world = call.world;
    let name = call.param("sha");
    let sha = call.oid("sha").ok_or_else(|| ApiError::no_commit(name))?;
    if world.git.info(sha).await?.is_none_or(|info| info.kind != "commit") {
        return Err(ApiError::no_commit(name));
    }
    let body = call.body()?;
    let wrong = |field: &str, message: &str| {
        let error = json!({"resource": "Status", "code": "custom", "field": field, "message": message});
        ApiError::invalid(vec![error])
    };
    let state = StatusState::parse(body.required("state")?)
        .ok_or_else(|| wrong("state", "state is not included in the list"))?;
    let description = body.string("description")?;
    if description.is_some_and(|text| text.chars().count() > LONGEST_DESCRIPTION) {
        return Err(wrong("description", "description is too long (maximum is 140 characters)"));
    }
    let target_url = body.string("target_url")?.filter(|url| !url.is_empty());
    if target_url.is_some_and(|url| !url.starts_with("https://") && !url.starts_with("http://")) {
        return Err(wrong("target_url", "target_url must use http(s) scheme"));
    }
    let context = body.string("context")?.filter(|context| !context.is_empty());
    let context = context.unwrap_or("default");

    let mut store = world.store.lock().await;
    let status = StatusRecord {
        id: store.state.next_id(),
        context: context.to_owned(),
        state,
        description: description.map(str::to_owned),
        target_url: target_url.map(str::to_owned),
        creator: world.config.login.clone(),
        at: clock::now(),
    };
    let shown = status_json(call.urls(), sha, &status);
    if !store.state.add_status(sha, status) {
        let words = "This SHA and context has reached the maximum number of statuses.";
        return Err(ApiError::custom("Status", words));
    }
    store.save()?;
    world.advance_queues(&mut store).await?;
    Ok(Reply::created(shown))
}

async fn commit_named(call: &Call<'_>) -> Result<Oid, ApiError> {
    let resolved = call.world.resolve(call.param("ref")).await?;
    resolved.ok_or_else(ApiError::not_found)
}

async fn combined(call: &Call<'_>) -> ApiResult {
    let sha = commit_named(call).await?;
    let store = call.world.store.lock().await;
    let latest = store.state.latest_statuses(sha);
    let any = |wanted: &[StatusState]| latest.iter().any(|status| wanted.contains(&status.state));
    let state = if any(&[StatusState::Error, StatusState::Failure]) {
        "failure"
    } else if latest.is_empty() || any(&[StatusState::Pending]) {
        "pending"
    } else {
        "success"
    };
    let urls = call.urls();
    let page = call.page();
    let statuses: Vec<Value> = page
        .of_list(&latest)
        .iter()
        .map(|status| {
            let mut shown = status_json(urls, sha, status);
            if let Some(members) = shown.as_object_mut() {
                members.remove("creator");
            }
            shown
        })
        .collect();
    let body = json!({
        "state": state,
        "statuses": statuses,
        "sha": sha,
        "total_count": latest.len(),
        "repository": short(call.world),
        "commit_url": urls.api(format_args!("commits/{sha}")),
        "url": urls.api(format_args!("commits/{sha}/status")),
    });
    let links = page.links(call, latest.len());
    Ok(Reply::ok(body).with(LINK, links.as_deref()))
}

async fn list(call: &Call<'_>) -> ApiResult {
    let sha = commit_named(call).await?;
    let store = call.world.store.lock().await;
    let mut all: Vec<&StatusRecord> = store.state.statuses.get(&sha).into_iter().flatten().collect();
    all.reverse();
    let page = call.page();
    let shown: Vec<Value> = page.of_list(&all).iter().map(|status| status_json(call.urls(), sha, status)).collect();
    let links = page.links(call, all.len());
    Ok(Reply::ok(Value::Array(shown)).with(LINK, links.as_deref()))
}
