//! Branches and the rules on them.

use axum::http::header::LINK;
use serde_json::{Value, json};

use super::call::Call;
use super::commit_json;
use super::error::ApiError;
use super::reply::Reply;
use super::route::{ApiResult, Route};
use super::urls::encoded_path;
use crate::control::{Protection, ProtectionSource};
use crate::git::RefName;
use crate::state::Settings;

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        template: "/repos/{owner}/{repo}/branches/{branch}/protection",
        docs: "branches/branch-protection#get-branch-protection",
        run: |call| Box::pin(protection(call)),
    },
    Route {
        method: "GET",
        template: "/repos/{owner}/{repo}/rules/branches/{branch}",
        docs: "repos/rules#get-rules-for-a-branch",
        run: |call| Box::pin(rules(call)),
    },
    Route {
        method: "GET",
        template: "/repos/{owner}/{repo}/branches/{branch}",
        docs: "branches/branches#get-a-branch",
        run: |call| Box::pin(get(call)),
    },
];

async fn get(call: &Call<'_>) -> ApiResult {
    let world = call.world;
    let branch = call.param("branch");
    let missing = || ApiError::missing("Branch not found");
    let name = RefName::branch(branch).ok_or_else(missing)?;
    world.look_at_queues().await?;
    let target = world.visible_ref(&name).await?;
    let commit = world.git.commit(target.ok_or_else(missing)?.oid).await?.ok_or_else(missing)?;
    let store = world.store.lock().await;
    let settings = &store.state.settings;
    let classic = settings.rule_from(ProtectionSource::Classic, branch);
    let contexts = contexts(classic);
    let level = if classic.is_some() { "everyone" } else { "off" };
    let urls = call.urls();
    let own = urls.api(format_args!("branches/{}", encoded_path(branch)));
    Ok(Reply::ok(json!({
        "name": branch,
        "commit": commit_json::rich(urls, &commit),
        "_links": {"self": own, "html": urls.html(format_args!("tree/{}", encoded_path(branch)))},
        "protected": !settings.rules(branch).is_empty(),
        "protection": {
            "enabled": classic.is_some(),
            "required_status_checks": {
                "enforcement_level": level,
                "contexts": contexts,
                "checks": checks(classic),
            },
        },
        "protection_url": format!("{own}/protection"),
    })))
}

fn contexts(rule: Option<&Protection>) -> Vec<&str> {
    let required = rule.map(|rule| rule.required.as_slice()).unwrap_or_default();
    required.iter().map(|check| check.context.as_str()).collect()
}

fn checks(rule: Option<&Protection>) -> Vec<Value> {
    let required = rule.map(|rule| rule.required.as_slice()).unwrap_or_default();
    required.iter().map(|check| json!({"context": check.context, "app_id": check.app_id})).collect()
}

async fn protection(call: &Call<'_>) -> ApiResult {
    let branch = call.param("branch");
    if call.world.branch_tip(branch).await?.is_none() {
        return Err(ApiError::missing("Branch not found"));
    }
    let store = call.world.store.lock().await;
    let rule = store.state.settings.rule_from(ProtectionSource::Classic, branch);
    let rule = rule.ok_or_else(|| ApiError::missing("Branch not protected"))?;
    let url = call.urls().api(format_args!("branches/{}/protection", encoded_path(branch)));
    let off = json!({"enabled": false});
    let mut shown = json!({
        "url": url,
        "required_status_checks": {
            "url": format!("{url}/required_status_checks"),
            "strict": rule.strict,
            "contexts": contexts(Some(rule)),
            "contexts_url": format!("{url}/required_status_checks/contexts"),
            "checks": checks(Some(rule)),
        },
        "enforce_admins": {"url": format!("{url}/enforce_admins"), "enabled": true},
        "required_signatures": {"url": format!("{url}/required_signatures"), "enabled": false},
        "required_linear_history": off,
        "allow_force_pushes": off,
        "allow_deletions": off,
        "block_creations": off,
        "required_conversation_resolution": off,
        "lock_branch": off,
        "allow_fork_syncing": off,
    });
    if rule.approvals > 0 {
        shown["required_pull_request_reviews"] = json!({
            "url": format!("{url}/required_pull_request_reviews"),
            "dismiss_stale_reviews": false,
            "require_code_owner_reviews": false,
            "require_last_push_approval": false,
            "required_approving_review_count": rule.approvals,
        });
    }
    Ok(Reply::ok(shown))
}

async fn rules(call: &Call<'_>) -> ApiResult {
    let store = call.world.store.lock().await;
    let rules = ruleset_rules(call, &store.state.settings);
    let page = call.page();
    let links = page.links(call, rules.len());
    let shown = page.of_list(&rules).to_vec();
    Ok(Reply::ok(Value::Array(shown)).with(LINK, links.as_deref()))
}

/// GitHub answers for branches that do not exist too: a rule may be waiting for them.
fn ruleset_rules(call: &Call<'_>, settings: &Settings) -> Vec<Value> {
    let Some(rule) = settings.rule_from(ProtectionSource::Ruleset, call.param("branch")) else {
        return Vec::new();
    };
    let name = call.world.identity().full_name();
    let from_ruleset = |mut rule: Value| {
        rule["ruleset_source_type"] = json!("Repository");
        rule["ruleset_source"] = json!(name);
        rule["ruleset_id"] = json!(1);
        rule
    };
    let required: Vec<Value> = rule
        .required
        .iter()
        .map(|check| match check.app_id {
            Some(id) => json!({"context": check.context, "integration_id": id}),
            None => json!({"context": check.context}),
        })
        .collect();
    let checks = json!({
        "type": "required_status_checks",
        "parameters": {
            "do_not_enforce_on_create": false,
            "required_status_checks": required,
            "strict_required_status_checks_policy": rule.strict,
        },
    });
    let mut rules = vec![json!({"type": "deletion"}), json!({"type": "non_fast_forward"}), checks];
    if rule.approvals > 0 {
        rules.push(json!({
            "type": "pull_request",
            "parameters": {
                "allowed_merge_methods": ["merge", "squash", "rebase"],
                "dismiss_stale_reviews_on_push": false,
                "require_code_owner_review": false,
                "require_last_push_approval": false,
                "required_approving_review_count": rule.approvals,
                "required_review_thread_resolution": false,
            },
        }));
    }
    if rule.merge_queue {
        rules.push(json!({
            "type": "merge_queue",
            "parameters": {
                "check_response_timeout_minutes": 60,
                "grouping_strategy": if rule.queue.head_green { "HEADGREEN" } else { "ALLGREEN" },
                "max_entries_to_build": rule.queue.build_at_once,
                "max_entries_to_merge": rule.queue.merge_at_once,
                "merge_method": rule.queue.method.as_str().to_ascii_uppercase(),
                "min_entries_to_merge": 1,
                "min_entries_to_merge_wait_minutes": 5,
            },
        }));
    }
    rules.into_iter().map(from_ruleset).collect()
}
