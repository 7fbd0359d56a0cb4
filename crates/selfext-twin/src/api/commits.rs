//! Commits: those of the git database and those of the repository.

use axum::http::header::LINK;
use chrono::{DateTime, FixedOffset, Timelike as _};
use serde_json::{Value, json};

use super::body::Body;
use super::call::Call;
use super::commit_json;
use super::error::ApiError;
use super::pull_json;
use super::reply::Reply;
use super::route::{ApiResult, Route};
use crate::clock;
use crate::forge::Scope;
use crate::git::{EMPTY_TREE, NewCommit, Oid, Signature};
use crate::state::Pull;

/// How many files GitHub lists of one commit.
pub(super) const MOST_FILES: usize = 300;

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        template: "/repos/{owner}/{repo}/git/commits",
        docs: "git/commits#create-a-commit",
        run: |call| Box::pin(create(call)),
    },
    Route {
        method: "GET",
        template: "/repos/{owner}/{repo}/git/commits/{commit_sha}",
        docs: "git/commits#get-a-commit-object",
        run: |call| Box::pin(get_plain(call)),
    },
    Route {
        method: "GET",
        template: "/repos/{owner}/{repo}/commits/{commit_sha}/pulls",
        docs: "commits/commits#list-pull-requests-associated-with-a-commit",
        run: |call| Box::pin(pulls(call)),
    },
    Route {
        method: "GET",
        template: "/repos/{owner}/{repo}/commits/{ref}",
        docs: "commits/commits#get-a-commit",
        run: |call| Box::pin(get_rich(call)),
    },
];

async fn create(call: &Call<'_>) -> ApiResult {
    let body = call.body()?;
    let git = &call.world.git;
    let message = body.required("message")?;
    let tree = Oid::parse(body.required("tree")?)
        .ok_or_else(|| ApiError::unprocessable("Tree SHA is not a valid object id"))?;
    if git.info(tree).await?.is_none_or(|info| info.kind != "tree") {
        return Err(ApiError::unprocessable("Tree SHA does not exist"));
    }
    let mut parents = Vec::new();
    for parent in body.list("parents")?.into_iter().flatten() {
        let oid = parent.as_str().and_then(Oid::parse);
        parents.push(oid.ok_or_else(|| ApiError::unprocessable("Parent SHA is not a valid object id"))?);
    }
    for info in git.infos(&parents).await? {
        if info.is_none_or(|info| info.kind != "commit") {
            return Err(ApiError::unprocessable("Parent SHA does not exist or is not a commit object"));
        }
    }
    let user = Signature::user(&call.world.config.login);
    let author = signature(&body, "author", &user)?;
    let committer = signature(&body, "committer", &author)?;
    if message.contains('\0') {
        return Err(ApiError::unprocessable("message cannot contain a null byte"));
    }
    let commit = NewCommit {
        tree,
        parents,
        author,
        committer,
        message: message.to_owned(),
        signature: body.string("signature")?.map(str::to_owned),
    };
    let oid = git.write_commit(&commit).await?;
    let written = git.commit(oid).await?.ok_or_else(ApiError::not_found)?;
    Ok(Reply::created(commit_json::plain(call.urls(), &written)))
}

/// Who is named in the body, and `usual` for what is not. A committer is the author if not named, an author is the
/// user.
fn signature(body: &Body, name: &str, usual: &Signature) -> Result<Signature, ApiError> {
    let Some(given) = body.object(name)? else {
        return Ok(usual.clone());
    };
    let at = match given.string("date")? {
        None => clock::now().fixed_offset(),
        Some(text) => parsed_date(text).ok_or_else(|| {
            let words = format!("Invalid request.\n\nFor 'properties/date', {text:?} is not a valid date-time.");
            ApiError::unprocessable(words)
        })?,
    };
    let signature = Signature {
        name: given.string("name")?.unwrap_or(&usual.name).to_owned(),
        email: given.string("email")?.unwrap_or(&usual.email).to_owned(),
        at,
    };
    if !signature.is_clean() {
        return Err(ApiError::unprocessable(format!("{name} is not a valid identity")));
    }
    Ok(signature)
}

/// A date in whole seconds, as git keeps it, within the years that git can hold.
fn parsed_date(text: &str) -> Option<DateTime<FixedOffset>> {
    let date = DateTime::parse_from_rfc3339(text).ok()?;
    (date.timestamp() >= 0).then(|| date.with_nanosecond(0).unwrap_or(date))
}

async fn get_plain(call: &Call<'_>) -> ApiResult {
    let oid = call.oid("commit_sha").ok_or_else(ApiError::not_found)?;
    let commit = call.world.git.commit(oid).await?.ok_or_else(ApiError::not_found)?;
    Ok(Reply::ok(commit_json::plain(call.urls(), &commit)))
}

async fn get_rich(call: &Call<'_>) -> ApiResult {
    let name = call.param("ref");
    let git = &call.world.git;
    let resolved = call.world.resolve(name).await?;
    let oid = resolved.ok_or_else(|| ApiError::no_commit(name))?;
    let commit = git.commit(oid).await?.ok_or_else(|| ApiError::no_commit(name))?;
    let from = commit.parents.first().copied().or_else(|| Oid::parse(EMPTY_TREE));
    let changes = git.changes(from.unwrap_or(oid), oid).await?;
    let additions: u64 = changes.iter().map(|change| change.additions).sum();
    let deletions: u64 = changes.iter().map(|change| change.deletions).sum();
    let files: Vec<Value> =
        changes.iter().take(MOST_FILES).map(|change| commit_json::file(call.urls(), change, oid)).collect();
    let mut shown = commit_json::rich(call.urls(), &commit);
    shown["stats"] = json!({"additions": additions, "deletions": deletions, "total": additions + deletions});
    shown["files"] = json!(files);
    Ok(Reply::ok(shown))
}

/// Pull requests that brought a commit into their base, or else those whose commits it is one of.
async fn pulls(call: &Call<'_>) -> ApiResult {
    let world = call.world;
    let name = call.param("commit_sha");
    let resolved = world.resolve(name).await?;
    let oid = resolved.ok_or_else(|| ApiError::no_commit(name))?;
    let mut store = world.store.lock().await;
    world.settle(&mut store, Scope::All).await?;
    let merged_as = |pull: &&Pull| pull.merged.as_ref().is_some_and(|merged| merged.sha == oid);
    let mut found: Vec<&Pull> = store.state.pulls.values().filter(merged_as).collect();
    if found.is_empty() {
        for pull in store.state.pulls.values() {
            let relation = world.git.relation(pull.base_sha, pull.head_sha).await?;
            if relation.ahead.contains(&oid) {
                found.push(pull);
            }
        }
    }
    let page = call.page();
    let shown: Vec<Value> = page.of_list(&found).iter().map(|pull| pull_json::simple(world, pull, None)).collect();
    let links = page.links(call, found.len());
    Ok(Reply::ok(Value::Array(shown)).with(LINK, links.as_deref()))
}
