//! Changing, closing and reopening pull requests.

use serde_json::json;

use super::call::Call;
use super::error::ApiError;
use super::pulls::{check_range, shown};
use super::route::ApiResult;
use crate::clock;
use crate::forge::Scope;
use crate::git::RefName;
use crate::state::{Pull, State};

pub(super) async fn update(call: &Call<'_>) -> ApiResult {
    let number = call.number("pull_number")?;
    let body = call.body()?;
    let world = call.world;
    let mut store = world.store.lock().await;
    world.settle(&mut store, Scope::One(number)).await?;
    let mut pull = store.state.pulls.get(&number).ok_or_else(ApiError::not_found)?.clone();
    let mut moved = false;
    if let Some(title) = body.string("title")? {
        if title.trim().is_empty() {
            return Err(ApiError::invalid_field("PullRequest", "title", "missing_field"));
        }
        title.clone_into(&mut pull.title);
    }
    if body.has("body") {
        pull.body = body.string("body")?.map(str::to_owned);
    }
    match body.string("state")? {
        Some("closed") if pull.open => pull.close(clock::now()),
        Some("open") if !pull.open => {
            reopen(call, &store.state, &mut pull).await?;
            moved = true;
        }
        None | Some("open" | "closed") => {}
        Some(_) => return Err(ApiError::invalid_field("PullRequest", "state", "invalid")),
    }
    if let Some(base) = body.string("base")?.filter(|base| *base != pull.base) {
        if !pull.open {
            return Err(refused_field("base", "Cannot change the base branch of a closed pull request."));
        }
        let invalid = || ApiError::invalid_field("PullRequest", "base", "invalid");
        let name = RefName::branch(base).ok_or_else(invalid)?;
        let tip = world.git.find_ref(&name).await?.ok_or_else(invalid)?.oid;
        check_range(world, &store.state, (&pull.head, pull.head_sha), (base, tip)).await?;
        pull.queued = None;
        base.clone_into(&mut pull.base);
        pull.base_sha = tip;
        moved = true;
    }
    pull.updated_at = clock::now();
    store.state.pulls.insert(number, pull);
    if moved {
        world.announce_head(&mut store.state, number);
    }
    store.save()?;
    world.advance_queues(&mut store).await?;
    shown(call, &store.state, number).await
}

fn refused_field(field: &str, words: &str) -> ApiError {
    let error = json!({"resource": "PullRequest", "code": "custom", "field": field, "message": words});
    ApiError::invalid(vec![error])
}

/// Opens a closed pull request again, if its branches are there and its head only went on.
async fn reopen(call: &Call<'_>, state: &State, pull: &mut Pull) -> Result<(), ApiError> {
    let world = call.world;
    let (head, base) = (pull.head.as_str(), pull.base.as_str());
    let refuse = |why: String| Err(refused_field("state", &format!("state cannot be changed. {why}")));
    if pull.merged.is_some() {
        return refuse("The pull request cannot be reopened.".to_owned());
    }
    let Some(head_sha) = world.branch_tip(head).await? else {
        return refuse(format!("The {head} branch has been deleted."));
    };
    let Some(base_sha) = world.branch_tip(base).await? else {
        return refuse(format!("The {base} branch has been deleted."));
    };
    if state.open_pull(head, base).is_some() {
        return refuse(format!("There is already an open pull request from {head} to {base}."));
    }
    if !world.git.is_ancestor(pull.head_sha, head_sha).await? {
        return refuse(format!("The {head} branch was force-pushed or recreated."));
    }
    if world.git.is_ancestor(head_sha, base_sha).await? {
        return refuse(format!("There are no new commits on the {head} branch."));
    }
    pull.open = true;
    pull.closed_at = None;
    pull.head_sha = head_sha;
    pull.base_sha = base_sha;
    Ok(())
}
