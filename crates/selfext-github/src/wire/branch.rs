//! A branch with its protection, and the rules of rulesets.

use selfext_domain::{MergeMethod, MergeQueue, Pin, RequiredContext};
use serde::Deserialize;

use super::comparison::ComparedCommit;

/// A branch as it is read.
#[derive(Deserialize)]
pub(crate) struct BranchBody {
    pub(crate) name: String,
    pub(crate) commit: ComparedCommit,
    /// Classic protection; missing where it may not be seen.
    #[serde(default)]
    pub(crate) protection: Protection,
}

/// The protection of a branch, as far as everybody may see it.
#[derive(Default, Deserialize)]
pub(crate) struct Protection {
    #[serde(default)]
    required_status_checks: Option<RequiredChecks>,
}

#[derive(Deserialize)]
struct RequiredChecks {
    /// `off` where the branch is not protected.
    #[serde(default)]
    enforcement_level: Option<String>,
    #[serde(default)]
    contexts: Vec<String>,
    /// The same with their apps; older servers do not give it.
    #[serde(default)]
    checks: Vec<Check>,
}

#[derive(Deserialize)]
struct Check {
    context: String,
    /// Negative or missing where any app will do.
    #[serde(default)]
    app_id: Option<i64>,
}

impl Protection {
    /// The contexts that must be green.
    pub(crate) fn required(self) -> Vec<RequiredContext> {
        let Some(checks) =
            self.required_status_checks.filter(|checks| checks.enforcement_level.as_deref() != Some("off"))
        else {
            return Vec::new();
        };
        let mut required: Vec<RequiredContext> =
            checks.checks.into_iter().map(|check| pinned(check.context, check.app_id)).collect();
        for context in checks.contexts {
            if required.iter().all(|known| known.context != context) {
                required.push(RequiredContext { context, pin: None });
            }
        }
        required
    }
}

fn pinned(context: String, app_id: Option<i64>) -> RequiredContext {
    RequiredContext { context, pin: app_id.and_then(|id| u64::try_from(id).ok()).map(Pin::App) }
}

/// One rule of a ruleset. Of the kinds that are not named here GitHub makes sure itself.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum RuleBody {
    RequiredStatusChecks {
        parameters: StatusChecks,
    },
    PullRequest {
        parameters: PullRequestRule,
    },
    MergeQueue {
        #[serde(default)]
        parameters: QueueRule,
    },
    #[serde(other)]
    Other,
}

/// How a merge queue works; what is not said is the stricter.
#[derive(Default, Deserialize)]
pub(crate) struct QueueRule {
    #[serde(default)]
    merge_method: Option<String>,
    #[serde(default)]
    grouping_strategy: Option<String>,
}

impl QueueRule {
    pub(crate) fn queue(&self) -> MergeQueue {
        let named = |method: &MergeMethod| {
            self.merge_method.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(method.as_str()))
        };
        MergeQueue {
            method: [MergeMethod::Squash, MergeMethod::Merge, MergeMethod::Rebase].into_iter().find(named),
            each_passes: self.grouping_strategy.as_deref() == Some("ALLGREEN"),
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct StatusChecks {
    required_status_checks: Vec<RulesetCheck>,
}

#[derive(Deserialize)]
struct RulesetCheck {
    context: String,
    #[serde(default)]
    integration_id: Option<i64>,
}

impl StatusChecks {
    pub(crate) fn required(self) -> impl Iterator<Item = RequiredContext> {
        self.required_status_checks.into_iter().map(|check| pinned(check.context, check.integration_id))
    }
}

#[derive(Deserialize)]
pub(crate) struct PullRequestRule {
    #[serde(default)]
    pub(crate) required_approving_review_count: u32,
    #[serde(default)]
    allowed_merge_methods: Option<Vec<String>>,
}

impl PullRequestRule {
    /// The ways of merging that are allowed, as far as they are known.
    pub(crate) fn methods(&self) -> Option<Vec<MergeMethod>> {
        let known = [MergeMethod::Squash, MergeMethod::Merge, MergeMethod::Rebase];
        let allowed = self.allowed_merge_methods.as_ref()?;
        Some(known.into_iter().filter(|method| allowed.iter().any(|name| name == method.as_str())).collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn required(protection: &serde_json::Value) -> Vec<(String, Option<Pin>)> {
        let protection: Protection = serde_json::from_value(protection.clone()).unwrap();
        protection.required().into_iter().map(|required| (required.context, required.pin)).collect()
    }

    #[test]
    fn both_ways_of_naming_required_contexts_are_read() {
        let checks = json!([{ "context": "a", "app_id": 7 }, { "context": "b", "app_id": null }, { "context": "c", "app_id": -1 }]);
        let both = json!({ "required_status_checks": { "enforcement_level": "everyone", "contexts": ["a", "b", "d"], "checks": checks } });
        let expected =
            [("a", Some(Pin::App(7))), ("b", None), ("c", None), ("d", None)].map(|(name, pin)| (name.to_owned(), pin));
        assert_eq!(required(&both), expected);
        let off = json!({ "required_status_checks": { "enforcement_level": "off", "contexts": ["a"] } });
        assert_eq!(required(&off), []);
        assert_eq!(required(&json!({})), []);
    }

    #[test]
    fn a_rule_of_an_unknown_kind_is_passed_over() {
        let rules = json!([{ "type": "sorcery", "parameters": 1 }, { "type": "merge_queue", "parameters": {} }, { "type": "deletion" }]);
        let rules: Vec<RuleBody> = serde_json::from_value(rules).unwrap();
        assert!(matches!(rules[..], [RuleBody::Other, RuleBody::MergeQueue { .. }, RuleBody::Other]));
    }
}
