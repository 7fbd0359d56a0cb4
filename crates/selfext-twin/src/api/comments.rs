//! Comments on pull requests, which GitHub keeps as comments on issues.

use axum::http::header::LINK;
use serde_json::{Value, json};

use super::call::Call;
use super::error::ApiError;
use super::reply::Reply;
use super::repository_json::{node_id, user};
use super::route::{ApiResult, Route};
use super::urls::Urls;
use crate::clock;
use crate::state::Comment;

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        template: "/repos/{owner}/{repo}/issues/{issue_number}/comments",
        docs: "issues/comments#list-issue-comments",
        run: |call| Box::pin(list(call)),
    },
    Route {
        method: "POST",
        template: "/repos/{owner}/{repo}/issues/{issue_number}/comments",
        docs: "issues/comments#create-an-issue-comment",
        run: |call| Box::pin(create(call)),
    },
    Route {
        method: "PATCH",
        template: "/repos/{owner}/{repo}/issues/comments/{comment_id}",
        docs: "issues/comments#update-an-issue-comment",
        run: |call| Box::pin(update(call)),
    },
];

fn comment_json(urls: Urls<'_>, number: u64, comment: &Comment) -> Value {
    let id = comment.id;
    json!({
        "id": id,
        "node_id": node_id("IssueComment", id),
        "url": urls.api(format_args!("issues/comments/{id}")),
        "html_url": urls.html(format_args!("pull/{number}#issuecomment-{id}")),
        "issue_url": urls.api(format_args!("issues/{number}")),
        "body": comment.body,
        "user": user(urls, &comment.user),
        "created_at": clock::text(comment.created_at),
        "updated_at": clock::text(comment.updated_at),
        "author_association": "OWNER",
    })
}

fn text(call: &Call<'_>) -> Result<String, ApiError> {
    let body = call.body()?;
    let text = body.required("body")?;
    if text.trim().is_empty() {
        return Err(ApiError::invalid_field("IssueComment", "body", "missing_field"));
    }
    Ok(text.to_owned())
}

async fn list(call: &Call<'_>) -> ApiResult {
    let number = call.number("issue_number")?;
    let store = call.world.store.lock().await;
    if !store.state.pulls.contains_key(&number) {
        return Err(ApiError::not_found());
    }
    let comments = store.state.comments.get(&number).map(Vec::as_slice).unwrap_or_default();
    let page = call.page();
    let shown = page.of_list(comments).iter();
    let shown: Vec<Value> = shown.map(|comment| comment_json(call.urls(), number, comment)).collect();
    let links = page.links(call, comments.len());
    Ok(Reply::ok(Value::Array(shown)).with(LINK, links.as_deref()))
}

async fn create(call: &Call<'_>) -> ApiResult {
    let number = call.number("issue_number")?;
    let body = text(call)?;
    let mut store = call.world.store.lock().await;
    if !store.state.pulls.contains_key(&number) {
        return Err(ApiError::not_found());
    }
    let at = clock::now();
    let comment = Comment {
        id: store.state.next_id(),
        body,
        user: call.world.config.login.clone(),
        created_at: at,
        updated_at: at,
    };
    let shown = comment_json(call.urls(), number, &comment);
    store.state.comments.entry(number).or_default().push(comment);
    store.save()?;
    Ok(Reply::created(shown))
}

async fn update(call: &Call<'_>) -> ApiResult {
    let id = call.number("comment_id")?;
    let body = text(call)?;
    let mut store = call.world.store.lock().await;
    let (number, comment) = store.state.comment_mut(id).ok_or_else(ApiError::not_found)?;
    comment.body = body;
    comment.updated_at = clock::now();
    let shown = comment_json(call.urls(), number, comment);
    store.save()?;
    Ok(Reply::ok(shown))
}
