//! The repository and the user.

use std::future::ready;

use serde_json::json;

use super::call::Call;
use super::reply::Reply;
use super::repository_json;
use super::route::{ApiResult, Route};

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        template: "/repos/{owner}/{repo}",
        docs: "repos/repos#get-a-repository",
        run: |call| Box::pin(get(call)),
    },
    Route {
        method: "GET",
        template: "/user",
        docs: "users/users#get-the-authenticated-user",
        run: |call| Box::pin(ready(Ok(user(call)))),
    },
];

async fn get(call: &Call<'_>) -> ApiResult {
    let store = call.world.store.lock().await;
    Ok(Reply::ok(repository_json::full(call.world, &store.state.settings)))
}

fn user(call: &Call<'_>) -> Reply {
    let mut user = repository_json::user(call.urls(), &call.world.config.login);
    user["user_view_type"] = json!("private");
    Reply::ok(user)
}
