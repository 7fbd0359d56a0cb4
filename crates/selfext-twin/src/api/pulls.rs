//! Pull requests, but for merging them.

use axum::http::header::LINK;
use serde_json::{Value, json};

use super::call::Call;
use super::commit_json;
use super::error::ApiError;
use super::pull_json::{self, Details};
use super::pull_update;
use super::reply::Reply;
use super::route::{ApiResult, Route};
use crate::clock;
use crate::forge::{Mergeability, Scope};
use crate::git::Oid;
use crate::state::{Pull, State, Store};
use crate::world::World;

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        template: "/repos/{owner}/{repo}/pulls",
        docs: "pulls/pulls#list-pull-requests",
        run: |call| Box::pin(list(call)),
    },
    Route {
        method: "POST",
        template: "/repos/{owner}/{repo}/pulls",
        docs: "pulls/pulls#create-a-pull-request",
        run: |call| Box::pin(create(call)),
    },
    Route {
        method: "GET",
        template: "/repos/{owner}/{repo}/pulls/{pull_number}",
        docs: "pulls/pulls#get-a-pull-request",
        run: |call| Box::pin(get(call)),
    },
    Route {
        method: "PATCH",
        template: "/repos/{owner}/{repo}/pulls/{pull_number}",
        docs: "pulls/pulls#update-a-pull-request",
        run: |call| Box::pin(pull_update::update(call)),
    },
    Route {
        method: "GET",
        template: "/repos/{owner}/{repo}/pulls/{pull_number}/files",
        docs: "pulls/pulls#list-pull-requests-files",
        run: |call| Box::pin(files(call)),
    },
];

async fn list(call: &Call<'_>) -> ApiResult {
    let world = call.world;
    let mut store = world.store.lock().await;
    world.settle(&mut store, Scope::All).await?;
    let state = call.query("state").unwrap_or("open");
    // A filter without an owner before the colon is no filter: GitHub ignores it.
    let head = call.query("head").and_then(|head| head.split_once(':'));
    let base = call.query("base").filter(|base| !base.is_empty());
    let identity = world.identity();
    let wanted = |pull: &&Pull| {
        let in_state = match state {
            "all" => true,
            "closed" => !pull.open,
            _ => pull.open,
        };
        let of_head =
            head.is_none_or(|(owner, branch)| owner.eq_ignore_ascii_case(&identity.owner) && branch == pull.head);
        in_state && of_head && base.is_none_or(|base| base == pull.base)
    };
    let mut found: Vec<&Pull> = store.state.pulls.values().filter(wanted).collect();
    let by_update = call.query("sort") == Some("updated");
    if by_update {
        found.sort_by_key(|pull| pull.updated_at);
    }
    let ascending = match call.query("direction") {
        Some(direction) => direction == "asc",
        None => by_update,
    };
    if !ascending {
        found.reverse();
    }
    let page = call.page();
    let mut shown = Vec::new();
    for pull in page.of_list(&found) {
        let test_merge = match world.branch_tip(&pull.base).await? {
            Some(base) if pull.open => world.git.test_merge(base, pull.head_sha).await?,
            _ => None,
        };
        shown.push(pull_json::simple(world, pull, test_merge));
    }
    let links = page.links(call, found.len());
    Ok(Reply::ok(Value::Array(shown)).with(LINK, links.as_deref()))
}

/// A pull request that is wished for.
pub(crate) struct Wish<'a> {
    pub(crate) head: &'a str,
    pub(crate) base: &'a str,
    pub(crate) title: Option<&'a str>,
    pub(crate) body: Option<&'a str>,
    pub(crate) draft: bool,
}

async fn create(call: &Call<'_>) -> ApiResult {
    let body = call.body()?;
    let wish = Wish {
        head: body.required("head")?,
        base: body.required("base")?,
        title: body.string("title")?,
        body: body.string("body")?,
        draft: body.flag("draft")?.unwrap_or(false),
    };
    let mut store = call.world.store.lock().await;
    let pull = open(call.world, &mut store, &wish).await?;
    let details = details(call, &store.state, &pull, Mergeability::unknown()).await?;
    let shown = pull_json::full(call.world, &pull, &details);
    let url = call.urls().api(format_args!("pulls/{}", pull.number));
    Ok(Reply::created(shown).with(axum::http::header::LOCATION, Some(&url)))
}

/// Opens a pull request.
pub(crate) async fn open(world: &World, store: &mut Store, wish: &Wish<'_>) -> Result<Pull, ApiError> {
    let base = wish.base;
    let Some(title) = wish.title.filter(|title| !title.trim().is_empty()) else {
        return Err(ApiError::invalid_field("PullRequest", "title", "missing_field"));
    };
    let head = own_branch(world, wish.head);
    world.settle(store, Scope::Branch(head.unwrap_or(base))).await?;
    let head_tip = match head {
        Some(head) => world.branch_tip(head).await?,
        None => None,
    };
    let (head, head_sha, base_sha) = match (head, head_tip, world.branch_tip(base).await?) {
        (Some(head), Some(head_sha), Some(base_sha)) => (head, head_sha, base_sha),
        (_, head, base) => {
            let missing = [("head", head.is_none()), ("base", base.is_none())];
            let errors = missing.iter().filter(|(_, missing)| *missing);
            let error = |field: &str| json!({"resource": "PullRequest", "field": field, "code": "invalid"});
            return Err(ApiError::invalid(errors.map(|(field, _)| error(field)).collect()));
        }
    };
    check_range(world, &store.state, (head, head_sha), (base, base_sha)).await?;

    let at = clock::now();
    let number = store.state.next_number();
    let pull = Pull {
        number,
        id: store.state.next_id(),
        title: title.to_owned(),
        body: wish.body.map(str::to_owned),
        user: world.config.login.clone(),
        head: head.to_owned(),
        base: base.to_owned(),
        head_sha,
        base_sha,
        open: true,
        draft: wish.draft,
        created_at: at,
        updated_at: at,
        closed_at: None,
        merged: None,
        merging: None,
        queued: None,
        group: None,
    };
    store.state.pulls.insert(number, pull.clone());
    world.announce_head(&mut store.state, number);
    store.save()?;
    Ok(pull)
}

/// The branch that `branch` or `owner:branch` names, unless it is another owner's.
fn own_branch<'a>(world: &World, head: &'a str) -> Option<&'a str> {
    match head.split_once(':') {
        None => Some(head),
        Some((owner, branch)) => owner.eq_ignore_ascii_case(&world.identity().owner).then_some(branch),
    }
}

/// Refuses a pull request that there is already, or that has nothing to merge.
pub(super) async fn check_range(
    world: &World,
    state: &State,
    (head, head_sha): (&str, Oid),
    (base, base_sha): (&str, Oid),
) -> Result<(), ApiError> {
    let refuse = |words: String| Err(ApiError::custom("PullRequest", &words));
    if state.open_pull(head, base).is_some() {
        let owner = &world.identity().owner;
        return refuse(format!("A pull request already exists for {owner}:{head}."));
    }
    let relation = world.git.relation(base_sha, head_sha).await?;
    if relation.merge_base.is_none() {
        return refuse(format!("The {head} branch has no history in common with {base}"));
    }
    if relation.is_contained() {
        return refuse(format!("No commits between {base} and {head}"));
    }
    Ok(())
}

async fn details(call: &Call<'_>, state: &State, pull: &Pull, mergeability: Mergeability) -> Result<Details, ApiError> {
    let git = &call.world.git;
    let relation = git.relation(pull.base_sha, pull.head_sha).await?;
    let from = relation.merge_base.unwrap_or(pull.base_sha);
    let changes = git.changes(from, pull.head_sha).await?;
    Ok(Details {
        mergeability,
        commits: relation.ahead.len(),
        additions: changes.iter().map(|change| change.additions).sum(),
        deletions: changes.iter().map(|change| change.deletions).sum(),
        changed_files: changes.len(),
        comments: state.comments.get(&pull.number).map_or(0, Vec::len),
    })
}

/// The pull request of the path, in full, as it now is.
pub(super) async fn shown(call: &Call<'_>, state: &State, number: u64) -> ApiResult {
    let world = call.world;
    let pull = state.pulls.get(&number).ok_or_else(ApiError::not_found)?;
    let mergeability = match world.branch_tip(&pull.base).await? {
        Some(base) if pull.open && !world.knobs.mergeable_unknown(number, pull.head_sha, base) => {
            world.mergeability(state, pull, base).await?
        }
        _ => Mergeability::unknown(),
    };
    let details = details(call, state, pull, mergeability).await?;
    Ok(Reply::ok(pull_json::full(world, pull, &details)))
}

async fn get(call: &Call<'_>) -> ApiResult {
    let number = call.number("pull_number")?;
    let mut store = call.world.store.lock().await;
    call.world.settle(&mut store, Scope::One(number)).await?;
    shown(call, &store.state, number).await
}

async fn files(call: &Call<'_>) -> ApiResult {
    let number = call.number("pull_number")?;
    let world = call.world;
    let mut store = world.store.lock().await;
    world.settle(&mut store, Scope::One(number)).await?;
    let pull = store.state.pulls.get(&number).ok_or_else(ApiError::not_found)?;
    let relation = world.git.relation(pull.base_sha, pull.head_sha).await?;
    let from = relation.merge_base.unwrap_or(pull.base_sha);
    let changes = world.git.changes(from, pull.head_sha).await?;
    let page = call.page();
    let listed = page.of_list(&changes).iter();
    let listed: Vec<Value> = listed.map(|change| commit_json::file(call.urls(), change, pull.head_sha)).collect();
    let links = page.links(call, changes.len());
    Ok(Reply::ok(Value::Array(listed)).with(LINK, links.as_deref()))
}
