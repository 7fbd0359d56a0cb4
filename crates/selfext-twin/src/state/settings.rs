//! The repository's settings.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::control::{MergeMethods, Permission, Protection, ProtectionSource, QueueRules};

/// What an administrator of the repository has set.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) merge_methods: MergeMethods,
    pub(crate) delete_branch_on_merge: bool,
    /// Protection by branch; at most one of each source.
    protections: BTreeMap<String, Vec<Protection>>,
    /// What people may do, by their logins in lower case; whoever is not named may read.
    #[serde(default)]
    permissions: BTreeMap<String, Permission>,
    /// Who is in which team, by `organization/team` in lower case.
    #[serde(default)]
    teams: BTreeMap<String, Vec<String>>,
}

impl Settings {
    /// Puts a rule in the place of the branch's rule of the same source.
    pub(crate) fn protect(&mut self, branch: &str, protection: Protection) {
        let rules = self.protections.entry(branch.to_owned()).or_default();
        rules.retain(|rule| rule.source != protection.source);
        rules.push(protection);
    }

    /// Takes all rules from a branch.
    pub(crate) fn unprotect(&mut self, branch: &str) {
        self.protections.remove(branch);
    }

    /// Says what somebody may do.
    pub(crate) fn permit(&mut self, login: &str, permission: Permission) {
        self.permissions.insert(login.to_ascii_lowercase(), permission);
    }

    /// What somebody may do.
    pub(crate) fn permission(&self, login: &str) -> Permission {
        self.permissions.get(&login.to_ascii_lowercase()).copied().unwrap_or(Permission::Read)
    }

    /// Says who is in a team.
    pub(crate) fn set_team(&mut self, organization: &str, team: &str, members: Vec<String>) {
        self.teams.insert(format!("{organization}/{team}").to_ascii_lowercase(), members);
    }

    /// Who is in a team, if there is such a team.
    pub(crate) fn team(&self, organization: &str, team: &str) -> Option<&[String]> {
        self.teams.get(&format!("{organization}/{team}").to_ascii_lowercase()).map(Vec::as_slice)
    }

    /// Whether there is an organization that has a team.
    pub(crate) fn has_organization(&self, organization: &str) -> bool {
        let prefix = format!("{organization}/").to_ascii_lowercase();
        self.teams.keys().any(|team| team.starts_with(&prefix))
    }

    /// All rules of a branch.
    pub(crate) fn rules(&self, branch: &str) -> &[Protection] {
        self.protections.get(branch).map(Vec::as_slice).unwrap_or_default()
    }

    /// How the merge queue of a branch works, if it has one.
    pub(crate) fn queue_rules(&self, branch: &str) -> Option<&QueueRules> {
        self.rules(branch).iter().find(|rule| rule.merge_queue).map(|rule| &rule.queue)
    }

    /// The rule of a branch that comes from one source.
    pub(crate) fn rule_from(&self, source: ProtectionSource, branch: &str) -> Option<&Protection> {
        self.rules(branch).iter().find(|rule| rule.source == source)
    }
}
