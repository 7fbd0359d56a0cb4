//! `organization { team { members } }`.

use serde_json::{Value, json};

use super::document::Field;
use super::failure::{Failure, RunError};
use crate::api::call::Call;

/// Who is looked for, and where.
pub(super) struct Members {
    organization: String,
    team: String,
    query: Option<String>,
    first: usize,
}

impl Members {
    pub(super) fn read(organization: &Field) -> Result<Self, Failure> {
        let team =
            organization.below("team").ok_or_else(|| Failure::of_document("The twin shows one team at a time"))?;
        let members = team.below("members");
        let members = members.ok_or_else(|| Failure::of_document("The twin shows a team's members alone"))?;
        let words = |field: &Field, name: &str| field.arguments.get(name).and_then(Value::as_str).map(str::to_owned);
        let required = |field: &Field, name: &str| {
            let missing =
                || Failure::of_document(format!("Field '{}' is missing required arguments: {name}", field.name));
            words(field, name).ok_or_else(missing)
        };
        let first = members.arguments.get("first").and_then(Value::as_u64).unwrap_or_default();
        if !(1..=100).contains(&first) {
            let words = "Requesting members needs a `first` of 1 to 100";
            return Err(Failure::of_document(words));
        }
        Ok(Self {
            organization: required(organization, "login")?,
            team: required(team, "slug")?,
            query: words(members, "query"),
            first: usize::try_from(first).unwrap_or(100),
        })
    }

    pub(super) async fn run(&self, call: &Call<'_>) -> Result<Value, RunError> {
        if !call.may_read_members() {
            return Err(Failure::new("FORBIDDEN", "Resource not accessible by integration").into());
        }
        let store = call.world.store.lock().await;
        let settings = &store.state.settings;
        if !settings.has_organization(&self.organization) {
            let words = format!("Could not resolve to an Organization with the login of '{}'.", self.organization);
            return Err(Failure::new("NOT_FOUND", words).into());
        }
        let team = settings.team(&self.organization, &self.team).map(|all| {
            let searched = self.query.as_deref().unwrap_or_default().to_ascii_lowercase();
            let found: Vec<&String> =
                all.iter().filter(|login| login.to_ascii_lowercase().contains(&searched)).collect();
            let nodes: Vec<Value> = found.iter().take(self.first).map(|login| json!({"login": login})).collect();
            json!({"slug": self.team, "name": self.team, "members": {"totalCount": found.len(), "nodes": nodes}})
        });
        Ok(json!({"login": self.organization, "team": team}))
    }
}
