//! Reviews of pull requests, and what people may do.

use axum::http::header::LINK;
use serde_json::{Value, json};

use super::call::Call;
use super::error::ApiError;
use super::reply::Reply;
use super::repository_json::{node_id, user};
use super::route::{ApiResult, Route};
use crate::clock;
use crate::control::Permission;
use crate::state::Review;

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        template: "/repos/{owner}/{repo}/pulls/{pull_number}/reviews",
        docs: "pulls/reviews#list-reviews-for-a-pull-request",
        run: |call| Box::pin(list(call)),
    },
    Route {
        method: "GET",
        template: "/repos/{owner}/{repo}/collaborators/{username}/permission",
        docs: "collaborators/collaborators#get-repository-permissions-for-a-user",
        run: |call| Box::pin(permission(call)),
    },
];

async fn list(call: &Call<'_>) -> ApiResult {
    let number = call.number("pull_number")?;
    let store = call.world.store.lock().await;
    if !store.state.pulls.contains_key(&number) {
        return Err(ApiError::not_found());
    }
    let reviews = store.state.reviews.get(&number).map(Vec::as_slice).unwrap_or_default();
    let page = call.page();
    let shown: Vec<Value> = page.of_list(reviews).iter().map(|review| shown(call, number, review)).collect();
    let links = page.links(call, reviews.len());
    Ok(Reply::ok(Value::Array(shown)).with(LINK, links.as_deref()))
}

fn shown(call: &Call<'_>, number: u64, review: &Review) -> Value {
    let (urls, id) = (call.urls(), review.id);
    let html = urls.html(format_args!("pull/{number}#pullrequestreview-{id}"));
    let pull = urls.api(format_args!("pulls/{number}"));
    json!({
        "id": id,
        "node_id": node_id("PullRequestReview", id),
        "user": user(urls, &review.user),
        "body": "",
        "state": review.state,
        "html_url": html,
        "pull_request_url": pull,
        "_links": {"html": {"href": html}, "pull_request": {"href": pull}},
        "submitted_at": clock::text(review.at),
        "commit_id": review.commit,
        "author_association": "COLLABORATOR",
    })
}

async fn permission(call: &Call<'_>) -> ApiResult {
    let login = call.param("username");
    let store = call.world.store.lock().await;
    let permission = store.state.settings.permission(login);
    let mut person = user(call.urls(), login);
    let may = |least: &[Permission]| least.contains(&permission);
    person["permissions"] = json!({
        "admin": may(&[Permission::Admin]),
        "maintain": may(&[Permission::Admin]),
        "push": permission.may_write(),
        "triage": permission.may_write(),
        "pull": !may(&[Permission::None]),
    });
    person["role_name"] = json!(permission);
    Ok(Reply::ok(json!({"permission": permission, "role_name": permission, "user": person})))
}
