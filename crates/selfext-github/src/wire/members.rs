//! The members of a team.

use serde::{Deserialize, Serialize};

/// Looks for one login among the members of a team and of the teams below it. GitHub searches names, too, so that others may be
/// found.
pub(crate) const MEMBERS: &str = "\
query Members($organization: String!, $team: String!, $login: String!) {
  organization(login: $organization) {
    team(slug: $team) { members(query: $login, membership: ALL, first: 100) { nodes { login } } }
  }
}";

/// The values of its variables.
#[derive(Serialize)]
pub(crate) struct MembersVariables<'a> {
    pub(crate) organization: &'a str,
    pub(crate) team: &'a str,
    pub(crate) login: &'a str,
}

/// What came of it.
#[derive(Deserialize)]
pub(crate) struct MembersData {
    organization: Option<Organization>,
}

#[derive(Deserialize)]
struct Organization {
    team: Option<Team>,
}

#[derive(Deserialize)]
struct Team {
    members: Members,
}

#[derive(Deserialize)]
struct Members {
    nodes: Vec<Option<Member>>,
}

#[derive(Deserialize)]
struct Member {
    login: String,
}

impl MembersData {
    /// The logins that were found; nothing if the team is not shown.
    pub(crate) fn logins(self) -> Option<Vec<String>> {
        let members = self.organization?.team?.members;
        Some(members.nodes.into_iter().flatten().map(|member| member.login).collect())
    }
}
