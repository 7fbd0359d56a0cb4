//! Comparing two commits.

use axum::http::header::LINK;
use serde_json::{Value, json};

use super::call::Call;
use super::commit_json;
use super::commits::MOST_FILES;
use super::error::ApiError;
use super::paging::Page;
use super::reply::Reply;
use super::route::{ApiResult, Route};
use super::urls::encoded_path;
use crate::git::{Commit, Oid};

/// How many commits GitHub shows at once if the client asks for no pages.
const MOST_AT_ONCE: usize = 250;

pub(super) const ROUTES: &[Route] = &[Route {
    method: "GET",
    template: "/repos/{owner}/{repo}/compare/{basehead}",
    docs: "commits/commits#compare-two-commits",
    run: |call| Box::pin(compare(call)),
}];

async fn compare(call: &Call<'_>) -> ApiResult {
    let basehead = call.param("basehead");
    let (base, head) = basehead.split_once("...").ok_or_else(ApiError::not_found)?;
    let git = &call.world.git;
    let (base, head) = (side(call, base).await?, side(call, head).await?);
    let relation = git.relation(base, head).await?;
    let Some(merge_base) = relation.merge_base else {
        return Err(ApiError::missing(format!("No common ancestor between {}.", basehead.replace("...", " and "))));
    };
    let status = match (relation.ahead.len(), relation.behind) {
        (0, 0) => "identical",
        (_, 0) => "ahead",
        (0, _) => "behind",
        _ => "diverged",
    };
    let page = Page::of_length(call, MOST_AT_ONCE);
    let urls = call.urls();
    let shown = git.commits(page.of_list(&relation.ahead)).await?;
    let shown: Vec<Value> = shown.iter().map(|commit| commit_json::rich(urls, commit)).collect();
    let files: Vec<Value> = if page.is_first() {
        let changes = git.changes(merge_base, head).await?;
        let listed = changes.iter().take(MOST_FILES);
        listed.map(|change| commit_json::file(urls, change, head)).collect()
    } else {
        Vec::new()
    };
    let path = encoded_path(basehead);
    let html = urls.html(format_args!("compare/{path}"));
    let body = json!({
        "url": urls.api(format_args!("compare/{path}")),
        "html_url": html,
        "permalink_url": urls.html(format_args!("compare/{base}...{head}")),
        "diff_url": format!("{html}.diff"),
        "patch_url": format!("{html}.patch"),
        "base_commit": commit_json::rich(urls, &commit(call, base).await?),
        "merge_base_commit": commit_json::rich(urls, &commit(call, merge_base).await?),
        "status": status,
        "ahead_by": relation.ahead.len(),
        "behind_by": relation.behind,
        "total_commits": relation.ahead.len(),
        "commits": shown,
        "files": files,
    });
    let links = page.links(call, relation.ahead.len());
    Ok(Reply::ok(body).with(LINK, links.as_deref()))
}

/// One side of the comparison: a name, with or without the owner (and the repository) before it.
async fn side(call: &Call<'_>, name: &str) -> Result<Oid, ApiError> {
    let name = match name.rsplit_once(':') {
        None => name,
        Some((place, name)) => {
            let owner = place.split(':').next().unwrap_or_default();
            if !owner.eq_ignore_ascii_case(&call.world.identity().owner) {
                return Err(ApiError::not_found());
            }
            name
        }
    };
    call.world.resolve(name).await?.ok_or_else(ApiError::not_found)
}

async fn commit(call: &Call<'_>, oid: Oid) -> Result<Commit, ApiError> {
    call.world.git.commit(oid).await?.ok_or_else(ApiError::not_found)
}
