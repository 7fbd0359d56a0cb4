//! Users, apps and the repository as GitHub shows them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::urls::{Urls, encoded};
use crate::control::AppIdentity;
use crate::state::Settings;
use crate::world::World;

/// An opaque id, made of what it is for.
pub(super) fn node_id(kind: &str, id: impl std::fmt::Display) -> String {
    STANDARD.encode(format!("{kind}:{id}"))
}

/// Whether an opaque id is for a thing of this kind.
pub(super) fn is_node_id(kind: &str, id: &str) -> bool {
    let made = STANDARD.decode(id).ok();
    made.is_some_and(|made| made.starts_with(format!("{kind}:").as_bytes()))
}

/// The repository's own opaque id.
pub(super) fn repository_node_id(world: &World) -> String {
    node_id("Repository", world.identity().id)
}

/// A user, with all that GitHub shows of one in passing.
pub(super) fn user(urls: Urls<'_>, login: &str) -> Value {
    let id = user_id(login);
    let url = urls.user(login);
    let kind = if login.ends_with("[bot]") { "Bot" } else { "User" };
    json!({
        "login": login,
        "id": id,
        "node_id": node_id("User", id),
        "avatar_url": format!("{}/avatars/{id}", urls.site()),
        "gravatar_id": "",
        "url": url,
        "html_url": format!("{}/{}", urls.site(), encoded(login)),
        "followers_url": format!("{url}/followers"),
        "following_url": format!("{url}/following"),
        "gists_url": format!("{url}/gists"),
        "starred_url": format!("{url}/starred"),
        "subscriptions_url": format!("{url}/subscriptions"),
        "organizations_url": format!("{url}/orgs"),
        "repos_url": format!("{url}/repos"),
        "events_url": format!("{url}/events"),
        "received_events_url": format!("{url}/received_events"),
        "type": kind,
        "user_view_type": "public",
        "site_admin": false,
    })
}

/// An id that is always the same for a login (FNV-1a, 31 bits).
fn user_id(login: &str) -> u32 {
    let hash = login.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash >> 1
}

/// An app.
pub(super) fn app(app: &AppIdentity) -> Value {
    json!({
        "id": app.id(),
        "slug": app.slug(),
        "node_id": node_id("Integration", app.id()),
        "client_id": format!("Iv1.{:016x}", app.id()),
        "name": app.slug(),
    })
}

/// The repository, as it is shown inside other things.
pub(super) fn short(world: &World) -> Value {
    let urls = Urls::of(world);
    let identity = world.identity();
    json!({
        "id": identity.id,
        "node_id": repository_node_id(world),
        "name": identity.name,
        "full_name": identity.full_name(),
        "owner": user(urls, &identity.owner),
        "private": true,
        "html_url": urls.page(),
        "description": null,
        "fork": false,
        "url": urls.repository(),
        "default_branch": world.default_branch,
        "archived": false,
        "disabled": false,
        "visibility": "private",
    })
}

/// The repository in full.
pub(super) fn full(world: &World, settings: &Settings) -> Value {
    let mut repository = short(world);
    let allowed = settings.merge_methods;
    repository["permissions"] = json!({"admin": true, "maintain": true, "push": true, "triage": true, "pull": true});
    repository["allow_merge_commit"] = json!(allowed.merge);
    repository["allow_squash_merge"] = json!(allowed.squash);
    repository["allow_rebase_merge"] = json!(allowed.rebase);
    repository["allow_auto_merge"] = json!(false);
    repository["allow_update_branch"] = json!(true);
    repository["delete_branch_on_merge"] = json!(settings.delete_branch_on_merge);
    repository["squash_merge_commit_title"] = json!("COMMIT_OR_PR_TITLE");
    repository
}
