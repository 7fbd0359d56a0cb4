//! `repository { pullRequest }`, and `node` for a repository or a pull request.

use serde_json::{Value, json};

use super::document::Field;
use super::failure::{Failure, RunError};
use super::kind::{Kind, PULL_REQUEST, REPOSITORY};
use super::pull_json::pull_json;
use super::step::unresolved;
use crate::api::call::Call;
use crate::api::repository_json::{is_node_id, node_id, repository_node_id};
use crate::forge::Scope;

/// What is looked for.
pub(super) struct Look {
    place: Place,
    pull_request: Option<u64>,
}

/// Where it is.
enum Place {
    /// The repository of this owner and name.
    Named(String, String),
    /// The repository of this id.
    Repository(String),
    /// The pull request of this id.
    PullRequest(String),
}

impl Look {
    /// Reads `repository`.
    pub(super) fn read(repository: &Field) -> Result<Self, Failure> {
        let place = Place::Named(argument(repository, "owner")?, argument(repository, "name")?);
        Ok(Self { place, pull_request: pull_request(repository)? })
    }

    /// Reads `node`, whose type its id says.
    pub(super) fn read_node(node: &Field) -> Result<Self, Failure> {
        let id = argument(node, "id")?;
        if is_node_id("PullRequest", &id) {
            return Ok(Self { place: Place::PullRequest(id), pull_request: None });
        }
        Ok(Self { place: Place::Repository(id), pull_request: pull_request(node)? })
    }

    /// The type of what is found.
    pub(super) const fn kind(&self) -> &'static Kind {
        match self.place {
            Place::PullRequest(_) => &PULL_REQUEST,
            Place::Named(..) | Place::Repository(_) => &REPOSITORY,
        }
    }

    pub(super) async fn run(&self, call: &Call<'_>) -> Result<Value, RunError> {
        let (world, identity) = (call.world, call.world.identity());
        match &self.place {
            Place::Named(owner, name) if !identity.is_called(owner, name) && !identity.was_called(owner, name) => {
                let words = format!("Could not resolve to a Repository with the name '{owner}/{name}'.");
                return Err(Failure::new("NOT_FOUND", words).into());
            }
            Place::Repository(id) if *id != repository_node_id(world) => return Err(unresolved(id).into()),
            Place::PullRequest(id) => {
                let mut store = world.store.lock().await;
                world.settle(&mut store, Scope::All).await?;
                let pull = store.state.pulls.values().find(|pull| node_id("PullRequest", pull.id) == *id);
                return pull_json(call, &store.state, pull.ok_or_else(|| unresolved(id))?).await;
            }
            Place::Named(..) | Place::Repository(_) => {}
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

/// The number of the pull request that is asked for below a repository.
fn pull_request(repository: &Field) -> Result<Option<u64>, Failure> {
    let Some(pull) = repository.below("pullRequest") else {
        return if repository.asks_for("pullRequest") {
            Err(Failure::of_document("The twin shows one pull request at a time"))
        } else {
            Ok(None)
        };
    };
    let number = pull.arguments.get("number").and_then(Value::as_u64);
    number.map(Some).ok_or_else(|| missing(pull, "number"))
}

fn argument(field: &Field, name: &str) -> Result<String, Failure> {
    let given = field.arguments.get(name).and_then(Value::as_str).map(str::to_owned);
    given.ok_or_else(|| missing(field, name))
}

fn missing(field: &Field, name: &str) -> Failure {
    Failure::of_document(format!("Field '{}' is missing required arguments: {name}", field.name))
}
