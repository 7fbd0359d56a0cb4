//! `repository { pullRequest }`.

use serde_json::{Value, json};

use super::document::Field;
use super::failure::{Failure, RunError};
use super::pull_json::pull_json;
use crate::api::call::Call;
use crate::api::repository_json::repository_node_id;
use crate::forge::Scope;

/// Which pull request is looked for, and where.
pub(super) struct Repository {
    owner: String,
    name: String,
    pull_request: Option<u64>,
}

impl Repository {
    pub(super) fn read(repository: &Field) -> Result<Self, Failure> {
        let missing = |field: &Field, name: &str| {
            Failure::of_document(format!("Field '{}' is missing required arguments: {name}", field.name))
        };
        let words = |name: &str| {
            let given = repository.arguments.get(name).and_then(Value::as_str).map(str::to_owned);
            given.ok_or_else(|| missing(repository, name))
        };
        let number = |pull: &Field| {
            let given = pull.arguments.get("number").and_then(Value::as_u64);
            given.ok_or_else(|| missing(pull, "number"))
        };
        let pull_request = repository.below("pullRequest").map(number).transpose()?;
        if pull_request.is_none() && repository.asks_for("pullRequest") {
            return Err(Failure::of_document("The twin shows one pull request at a time"));
        }
        Ok(Self { owner: words("owner")?, name: words("name")?, pull_request })
    }

    pub(super) async fn run(&self, call: &Call<'_>) -> Result<Value, RunError> {
        let world = call.world;
        let identity = world.identity();
        if !identity.is_called(&self.owner, &self.name) && !identity.was_called(&self.owner, &self.name) {
            let words = format!("Could not resolve to a Repository with the name '{}/{}'.", self.owner, self.name);
            return Err(Failure::new("NOT_FOUND", words).into());
        }
        let mut shown = json!({
            "id": repository_node_id(world),
            "name": identity.name,
            "nameWithOwner": identity.full_name(),
            "pullRequest": null,
        });
        if let Some(number) = self.pull_request {
            let mut store = world.store.lock().await;
            world.settle(&mut store, Scope::One(number)).await?;
            let Some(pull) = store.state.pulls.get(&number) else {
                let words = format!("Could not resolve to a PullRequest with the number of {number}.");
                return Err(RunError::RefusedBelow("pullRequest", Failure::new("NOT_FOUND", words), shown));
            };
            shown["pullRequest"] = pull_json(call, &store.state, pull).await?;
        }
        Ok(shown)
    }
}
