//! Git refs.

use serde_json::{Value, json};

use super::call::Call;
use super::error::ApiError;
use super::reply::Reply;
use super::repository_json::node_id;
use super::route::{ApiResult, Route};
use super::urls::{Urls, encoded_path};
use crate::fault::Sight;
use crate::forge::forbids_move;
use crate::git::{Oid, RefChange, RefName, RefTarget};
use crate::state::State;

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        template: "/repos/{owner}/{repo}/git/ref/{ref}",
        docs: "git/refs#get-a-reference",
        run: |call| Box::pin(get(call)),
    },
    Route {
        method: "GET",
        template: "/repos/{owner}/{repo}/git/matching-refs/{ref}",
        docs: "git/refs#list-matching-references",
        run: |call| Box::pin(matching(call)),
    },
    Route {
        method: "POST",
        template: "/repos/{owner}/{repo}/git/refs",
        docs: "git/refs#create-a-reference",
        run: |call| Box::pin(create(call)),
    },
    Route {
        method: "PATCH",
        template: "/repos/{owner}/{repo}/git/refs/{ref}",
        docs: "git/refs#update-a-reference",
        run: |call| Box::pin(update(call)),
    },
    Route {
        method: "DELETE",
        template: "/repos/{owner}/{repo}/git/refs/{ref}",
        docs: "git/refs#delete-a-reference",
        run: |call| Box::pin(delete(call)),
    },
];

/// GitHub's refusal of a malformed id.
pub(super) fn malformed_sha() -> ApiError {
    ApiError::unprocessable("The sha parameter must be exactly 40 characters and contain only [0-9a-f].")
}

fn ref_json(urls: Urls<'_>, name: &str, target: &RefTarget) -> Value {
    let plural = match target.kind.as_str() {
        "commit" => "commits",
        "tag" => "tags",
        "tree" => "trees",
        _ => "blobs",
    };
    json!({
        "ref": name,
        "node_id": node_id("Ref", name),
        "url": urls.api(format_args!("git/{}", encoded_path(name))),
        "object": {
            "type": target.kind,
            "sha": target.oid,
            "url": urls.api(format_args!("git/{plural}/{}", target.oid)),
        },
    })
}

fn named(call: &Call<'_>) -> Option<RefName> {
    RefName::parse(&format!("refs/{}", call.param("ref")))
}

async fn get(call: &Call<'_>) -> ApiResult {
    let name = named(call).ok_or_else(ApiError::not_found)?;
    call.world.look_at_queues().await?;
    let target = call.world.visible_ref(&name).await?;
    let target = target.ok_or_else(ApiError::not_found)?;
    Ok(Reply::ok(ref_json(call.urls(), name.as_str(), &target)))
}

async fn matching(call: &Call<'_>) -> ApiResult {
    let prefix = format!("refs/{}", call.param("ref"));
    let mut listed = Vec::new();
    call.world.look_at_queues().await?;
    for (name, target) in call.world.git.refs_with_prefix(&prefix).await? {
        let shown = match RefName::parse(&name).map(|name| call.world.knobs.sight_of(&name)) {
            Some(Sight::Stale(shown)) => shown,
            Some(Sight::Current) | None => Some(target),
        };
        listed.extend(shown.map(|target| ref_json(call.urls(), &name, &target)));
    }
    Ok(Reply::ok(Value::Array(listed)))
}

async fn create(call: &Call<'_>) -> ApiResult {
    let body = call.body()?;
    let (name, target) = make(call, body.required("ref")?, body.required("sha")?).await?;
    Ok(Reply::created(ref_json(call.urls(), name.as_str(), &target)))
}

/// GitHub's words for a ref that is there already.
pub(super) const EXISTS: &str = "Reference already exists";

/// Makes a ref.
pub(super) async fn make(call: &Call<'_>, name: &str, sha: &str) -> Result<(RefName, RefTarget), ApiError> {
    if !name.starts_with("refs/") || name.matches('/').count() < 2 {
        return Err(ApiError::unprocessable("Reference name must start with 'refs/' and have at least two slashes."));
    }
    let name =
        RefName::parse(name).ok_or_else(|| ApiError::unprocessable(format!("{name} is not a valid ref name.")))?;
    let sha = Oid::parse(sha).ok_or_else(malformed_sha)?;
    check_not_of_queue(&name)?;

    let mut store = call.world.store.lock().await;
    let target = pointable(call, &name, sha).await?;
    if call.world.git.find_ref(&name).await?.is_some() {
        return Err(ApiError::unprocessable(EXISTS));
    }
    match call.world.change_ref(&mut store, &name, None, Some(sha)).await? {
        RefChange::Done => Ok((name, target)),
        RefChange::Moved => Err(ApiError::unprocessable(EXISTS)),
        RefChange::Refused => Err(ApiError::unprocessable("Reference update failed")),
    }
}

async fn update(call: &Call<'_>) -> ApiResult {
    let body = call.body()?;
    let sha = Oid::parse(body.required("sha")?).ok_or_else(malformed_sha)?;
    let force = body.flag("force")?.unwrap_or(false);
    let gone = || ApiError::unprocessable("Reference does not exist");
    let name = named(call).ok_or_else(gone)?;

    let mut store = call.world.store.lock().await;
    let before = call.world.git.find_ref(&name).await?.ok_or_else(gone)?;
    let target = pointable(call, &name, sha).await?;
    let forward = moves_forward(call, before.oid, sha).await?;
    if !forward && !force {
        return Err(ApiError::unprocessable("Update is not a fast forward"));
    }
    check_protection(&store.state, &name, Some((sha, forward)))?;
    match call.world.change_ref(&mut store, &name, Some(before), Some(sha)).await? {
        RefChange::Done => Ok(Reply::ok(ref_json(call.urls(), name.as_str(), &target))),
        RefChange::Moved => Err(ApiError::unprocessable("Reference cannot be updated")),
        RefChange::Refused => Err(ApiError::unprocessable("Reference update failed")),
    }
}

async fn delete(call: &Call<'_>) -> ApiResult {
    let gone = || ApiError::unprocessable("Reference does not exist");
    let name = named(call).ok_or_else(gone)?;
    let mut store = call.world.store.lock().await;
    let before = call.world.git.find_ref(&name).await?.ok_or_else(gone)?;
    if name.branch_name() == Some(call.world.default_branch.as_str()) {
        return Err(ApiError::unprocessable("Cannot delete the default branch"));
    }
    check_protection(&store.state, &name, None)?;
    match call.world.change_ref(&mut store, &name, Some(before), None).await? {
        RefChange::Done => Ok(Reply::no_content()),
        RefChange::Moved | RefChange::Refused => Err(ApiError::unprocessable("Reference cannot be updated")),
    }
}

/// What a ref would point at: an object that exists, and a commit if the ref is a branch.
async fn pointable(call: &Call<'_>, name: &RefName, sha: Oid) -> Result<RefTarget, ApiError> {
    let info = call.world.git.info(sha).await?;
    let info = info.ok_or_else(|| ApiError::unprocessable("Object does not exist"))?;
    if name.branch_name().is_some() && info.kind != "commit" {
        return Err(ApiError::unprocessable("Reference update failed"));
    }
    Ok(RefTarget::from(&info))
}

async fn moves_forward(call: &Call<'_>, from: Oid, to: Oid) -> Result<bool, ApiError> {
    let git = &call.world.git;
    match (git.peel_to_commit(from).await?, git.peel_to_commit(to).await?) {
        (Some(from), Some(to)) => Ok(git.is_ancestor(from, to).await?),
        _ => Ok(false),
    }
}

/// Refuses what the branch's protection forbids. `to` is where the branch goes and whether that is forward; `None`
/// stands for its deletion.
pub(super) fn check_protection(state: &State, name: &RefName, to: Option<(Oid, bool)>) -> Result<(), ApiError> {
    check_not_of_queue(name)?;
    let Some(branch) = name.branch_name() else {
        return Ok(());
    };
    if state.settings.rules(branch).is_empty() {
        return Ok(());
    }
    match to {
        None => Err(ApiError::unprocessable("Cannot delete this protected branch")),
        Some((_, false)) => Err(ApiError::unprocessable("Cannot force-push to this protected branch")),
        Some((sha, true)) => match forbids_move(state, branch, sha) {
            Some(words) => Err(ApiError::unprocessable(words)),
            None => Ok(()),
        },
    }
}

/// Refuses to change a branch that a merge queue has made.
fn check_not_of_queue(name: &RefName) -> Result<(), ApiError> {
    if name.branch_name().is_some_and(|branch| branch.starts_with("gh-readonly-queue/")) {
        return Err(ApiError::unprocessable("Cannot update this protected ref."));
    }
    Ok(())
}
