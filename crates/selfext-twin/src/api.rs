//! GitHub's API. One file a resource; each lists its routes.
//!
//! Another resource (webhooks) is another file with its routes and a line in [`ALL`].

mod app;
mod blobs;
mod body;
mod branches;
mod call;
mod check_runs;
mod comments;
mod commit_json;
mod commits;
mod compare;
mod contents;
mod error;
mod graphql;
mod merges;
mod merges_async;
mod paging;
mod pull_json;
mod pull_update;
mod pulls;
mod rate_limit;
mod refs;
mod reply;
mod repository;
mod repository_json;
mod reviews;
mod route;
mod statuses;
mod trees;
mod urls;

pub(crate) use call::{Call, Params, Target};
pub(crate) use error::ApiError;
pub(crate) use pulls::{Wish, open};
pub(crate) use rate_limit::{LIMIT as RATE_LIMIT, reset as rate_limit_reset};
pub(crate) use reply::{Content, Reply};
pub(crate) use route::{Route, find};

use crate::world::World;

/// The routes of all resources. Where two of them could take the same path, the one that stands first does.
const ALL: &[&[Route]] = &[
    repository::ROUTES,
    app::ROUTES,
    graphql::ROUTES,
    rate_limit::ROUTES,
    refs::ROUTES,
    blobs::ROUTES,
    trees::ROUTES,
    statuses::ROUTES,
    check_runs::ROUTES,
    commits::ROUTES,
    compare::ROUTES,
    contents::ROUTES,
    merges::ROUTES,
    merges_async::ROUTES,
    pulls::ROUTES,
    comments::ROUTES,
    reviews::ROUTES,
    branches::ROUTES,
];

/// Does what a request asks for and gives the answer, whatever it is.
pub(crate) async fn perform(world: &World, route: Option<&'static Route>, call: &Call<'_>) -> Reply {
    let Some(route) = route else {
        return ApiError::no_route().reply("");
    };
    if let Err(refused) = call.admit(world, route).await {
        return refused.reply(route.docs);
    }
    match (route.run)(call).await {
        Ok(reply) => reply,
        Err(refused) => refused.reply(route.docs),
    }
}
