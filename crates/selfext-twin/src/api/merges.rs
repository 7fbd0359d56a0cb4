//! Merging pull requests and bringing them up to date.

use axum::http::StatusCode;
use serde_json::json;

use super::call::Call;
use super::error::ApiError;
use super::reply::Reply;
use super::route::{ApiResult, Route};
use crate::control::MergeMethod;
use crate::forge::{MergeRefusal, MergeRequest, Scope};
use crate::git::{MergeOutcome, NewCommit, Oid, RefChange, RefName, Signature};

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "PUT",
        template: "/repos/{owner}/{repo}/pulls/{pull_number}/merge",
        docs: "pulls/pulls#merge-a-pull-request",
        run: |call| Box::pin(merge(call)),
    },
    Route {
        method: "GET",
        template: "/repos/{owner}/{repo}/pulls/{pull_number}/merge",
        docs: "pulls/pulls#check-if-a-pull-request-has-been-merged",
        run: |call| Box::pin(is_merged(call)),
    },
    Route {
        method: "PUT",
        template: "/repos/{owner}/{repo}/pulls/{pull_number}/update-branch",
        docs: "pulls/pulls#update-a-pull-request-branch",
        run: |call| Box::pin(update_branch(call)),
    },
];

async fn merge(call: &Call<'_>) -> ApiResult {
    let number = call.number("pull_number")?;
    let body = call.body()?;
    let method = body.word("merge_method", &["merge", "squash", "rebase"])?.and_then(MergeMethod::parse);
    let request = MergeRequest {
        number,
        head: body.string("sha")?.map(str::to_owned),
        method: method.unwrap_or(MergeMethod::Merge),
        title: body.string("commit_title")?.map(str::to_owned),
        message: body.string("commit_message")?.map(str::to_owned),
        by: call.world.config.login.clone(),
    };
    let mut store = call.world.store.lock().await;
    match call.world.merge_pull(&mut store, &request).await {
        Ok(sha) => Ok(Reply::ok(json!({
            "sha": sha,
            "merged": true,
            "message": "Pull Request successfully merged",
        }))),
        Err(refusal) => Err(refused(refusal)),
    }
}

fn refused(refusal: MergeRefusal) -> ApiError {
    match refusal {
        MergeRefusal::NotFound => ApiError::not_found(),
        MergeRefusal::HeadModified => ApiError::conflict(&refusal.words()),
        MergeRefusal::Failed(error) => error.into(),
        _ => ApiError::not_allowed(refusal.words()),
    }
}

async fn is_merged(call: &Call<'_>) -> ApiResult {
    let number = call.number("pull_number")?;
    let mut store = call.world.store.lock().await;
    call.world.settle(&mut store, Scope::One(number)).await?;
    let merged = store.state.pulls.get(&number).is_some_and(|pull| pull.merged.is_some());
    if merged { Ok(Reply::no_content()) } else { Err(ApiError::not_found()) }
}

async fn update_branch(call: &Call<'_>) -> ApiResult {
    let number = call.number("pull_number")?;
    let body = call.body()?;
    let expected = body.string("expected_head_sha")?;
    let world = call.world;
    let mut store = world.store.lock().await;
    world.settle(&mut store, Scope::One(number)).await?;
    let pull = store.state.pulls.get(&number).ok_or_else(ApiError::not_found)?.clone();
    let refuse = |words: &str| Err(ApiError::unprocessable(words));
    if !pull.open {
        return refuse("The pull request is closed.");
    }
    if pull.queued.is_some() {
        return refuse("Branches that are queued for merging cannot be updated");
    }
    if expected.is_some_and(|expected| Oid::parse(expected) != Some(pull.head_sha)) {
        return refuse("expected head sha didn’t match current head ref.");
    }
    let name = RefName::branch(&pull.head).ok_or_else(ApiError::not_found)?;
    let head = world.git.find_ref(&name).await?.ok_or_else(ApiError::not_found)?;
    let base = world.branch_tip(&pull.base).await?.ok_or_else(ApiError::not_found)?;
    if world.git.relation(base, pull.head_sha).await?.behind == 0 {
        return refuse("There are no new commits on the base branch.");
    }
    let MergeOutcome::Clean(tree) = world.git.merge(base, pull.head_sha).await? else {
        return refuse("merge conflict between base and head");
    };
    let commit = NewCommit {
        tree,
        parents: vec![pull.head_sha, base],
        author: Signature::user(&world.config.login),
        committer: Signature::twin(),
        message: format!("Merge branch '{}' into {}", pull.base, pull.head),
        signature: None,
    };
    let commit = world.git.write_commit(&commit).await?;
    match world.change_ref(&mut store, &name, Some(head), Some(commit)).await? {
        RefChange::Done => Ok(Reply::json(
            StatusCode::ACCEPTED,
            json!({
                "message": "Updating pull request branch.",
                "url": call.urls().html(format_args!("pull/{number}")),
            }),
        )),
        RefChange::Moved | RefChange::Refused => refuse("expected head sha didn’t match current head ref."),
    }
}
