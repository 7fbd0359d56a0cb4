//! The App, its installation, and its tokens.

use axum::http::header::DATE;
use serde_json::{Value, json};

use super::call::Call;
use super::error::ApiError;
use super::reply::Reply;
use super::repository_json::{app as app_json, node_id, short, user};
use super::route::{ApiResult, Route};
use crate::app::TwinApp;
use crate::clock;

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        template: "/app",
        docs: "apps/apps#get-the-authenticated-app",
        run: |call| Box::pin(std::future::ready(get(call))),
    },
    Route {
        method: "GET",
        template: "/repos/{owner}/{repo}/installation",
        docs: "apps/apps#get-a-repository-installation-for-the-authenticated-app",
        run: |call| Box::pin(std::future::ready(installation(call))),
    },
    Route {
        method: "POST",
        template: "/app/installations/{installation_id}/access_tokens",
        docs: "apps/apps#create-an-installation-access-token-for-an-app",
        run: |call| Box::pin(std::future::ready(issue(call))),
    },
];

/// The only installation that a twin has.
const INSTALLATION: u64 = 4711;

/// Whether the App itself asks there, with a JSON web token, and not one of its installations.
pub(super) fn is_asked_by_the_app(template: &str) -> bool {
    template.starts_with("/app") || template.ends_with("/installation")
}

fn the_app<'a>(call: &Call<'a>) -> Result<&'a TwinApp, ApiError> {
    call.world.config.github_app.as_ref().ok_or_else(ApiError::not_found)
}

fn get(call: &Call<'_>) -> ApiResult {
    Ok(Reply::ok(app_json(&the_app(call)?.identity)))
}

fn installation(call: &Call<'_>) -> ApiResult {
    let app = the_app(call)?;
    if !call.world.desk.is_installed() {
        return Err(ApiError::not_found());
    }
    let (urls, identity) = (call.urls(), call.world.identity());
    let account = user(urls, &identity.owner);
    let at = clock::text(clock::now());
    Ok(Reply::ok(json!({
        "id": INSTALLATION,
        "account": account,
        "repository_selection": "selected",
        "html_url": format!("{}/settings/installations/{INSTALLATION}", urls.base()),
        "app_id": app.identity.id(),
        "client_id": app.client_id,
        "app_slug": app.identity.slug(),
        "target_id": account["id"],
        "target_type": "Organization",
        "permissions": app.permissions,
        "events": [],
        "created_at": at,
        "updated_at": at,
        "single_file_name": null,
        "suspended_by": null,
        "suspended_at": null,
    })))
}

fn issue(call: &Call<'_>) -> ApiResult {
    let app = the_app(call)?;
    let (world, identity) = (call.world, call.world.identity());
    if call.number("installation_id")? != INSTALLATION || !world.desk.is_installed() {
        return Err(ApiError::not_found());
    }
    let body = call.body()?;
    let own_name = |name: &Value| name.as_str().is_some_and(|name| name.eq_ignore_ascii_case(&identity.name));
    let own_id = |id: &Value| id.as_u64() == Some(identity.id);
    let named = body.list("repositories")?;
    let numbered = body.list("repository_ids")?;
    if !named.into_iter().flatten().all(own_name) || !numbered.into_iter().flatten().all(own_id) {
        return Err(ApiError::unprocessable(
            "There is at least one repository that does not exist or is not accessible to the parent installation.",
        ));
    }
    // PyGithub asks for none where it means all, and gets them.
    let permissions = match body.given_members("permissions")?.filter(|asked| !asked.is_empty()) {
        None => app.permissions.iter().map(|(name, level)| (name.clone(), json!(level))).collect(),
        Some(asked) => {
            let given = |(name, level): (&String, &Value)| {
                let given = app.permissions.get(name).map(String::as_str);
                given == Some("write") || (given == Some("read") && level == "read")
            };
            if !asked.iter().all(given) {
                return Err(ApiError::unprocessable("The permissions requested are not granted to this installation."));
            }
            asked.clone()
        }
    };
    let selected = named.is_some() || numbered.is_some();
    let (token, ends_at) = world.desk.issue(app, permissions.clone());
    let mut issued = json!({
        "token": token,
        "expires_at": clock::text(ends_at),
        "permissions": permissions,
        "repository_selection": "selected",
    });
    if selected {
        let mut repository = short(world);
        repository["node_id"] = json!(node_id("Repository", identity.id));
        issued["repositories"] = json!([repository]);
    }
    // By the twin's time, which tests may have set.
    let date = world.desk.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    Ok(Reply::created(issued).with(DATE, Some(&date)).secret())
}
