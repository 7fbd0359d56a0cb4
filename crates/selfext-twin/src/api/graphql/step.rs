//! The mutations, one behind another, and the query.

use serde_json::{Map, Value};

use super::commit::CommitOnBranch;
use super::document::Field;
use super::failure::{Failure, RunError};
use super::kind::{
    CREATE_COMMIT, CREATE_PULL_REQUEST, CREATE_REF, DEQUEUE_PULL_REQUEST, ENQUEUE_PULL_REQUEST, Kind, ORGANIZATION,
};
use super::members::Members;
use super::pull_request::NewPullRequest;
use super::queue::{Dequeue, Enqueue};
use super::reference::NewReference;
use super::repository::Look;
use crate::api::body::Body;
use crate::api::call::Call;
use crate::api::error::ApiError;
use crate::api::repository_json::repository_node_id;
use crate::world::World;

/// One root field, whose input has been read.
pub(super) enum Step {
    Reference(NewReference),
    Commit(CommitOnBranch),
    PullRequest(NewPullRequest),
    Enqueue(Enqueue),
    Dequeue(Dequeue),
    Members(Members),
    Look(Look),
}

impl Step {
    /// Reads a root field.
    pub(super) fn read(field: &Field) -> Result<Self, Failure> {
        let input = match field.arguments.get("input") {
            Some(Value::Object(members)) => members.clone(),
            _ => Map::new(),
        };
        let input = Input(Body::within(&input));
        match field.name.as_str() {
            "createRef" => NewReference::read(&input).map(Self::Reference),
            "createCommitOnBranch" => CommitOnBranch::read(&input).map(Self::Commit),
            "createPullRequest" => NewPullRequest::read(&input).map(Self::PullRequest),
            "enqueuePullRequest" => Enqueue::read(&input).map(Self::Enqueue),
            "dequeuePullRequest" => Dequeue::read(&input).map(Self::Dequeue),
            other => Err(Failure::of_document(format!("Field '{other}' doesn't exist on type 'Mutation'"))),
        }
    }

    /// Reads a root field of a query.
    pub(super) fn read_query(field: &Field) -> Result<Self, Failure> {
        match field.name.as_str() {
            "organization" => Members::read(field).map(Self::Members),
            "repository" => Look::read(field).map(Self::Look),
            "node" => Look::read_node(field).map(Self::Look),
            other => Err(Failure::of_document(format!("The twin knows no field '{other}' on type 'Query'"))),
        }
    }

    /// The type of its value.
    pub(super) const fn payload(&self) -> &'static Kind {
        match self {
            Self::Reference(_) => &CREATE_REF,
            Self::Commit(_) => &CREATE_COMMIT,
            Self::PullRequest(_) => &CREATE_PULL_REQUEST,
            Self::Enqueue(_) => &ENQUEUE_PULL_REQUEST,
            Self::Dequeue(_) => &DEQUEUE_PULL_REQUEST,
            Self::Members(_) => &ORGANIZATION,
            Self::Look(look) => look.kind(),
        }
    }

    /// Carries it out; its value has every field that its type has here.
    pub(super) async fn run(&self, call: &Call<'_>) -> Result<Value, RunError> {
        match self {
            Self::Reference(wish) => wish.run(call).await,
            Self::Commit(wish) => wish.run(call).await,
            Self::PullRequest(wish) => wish.run(call).await,
            Self::Enqueue(wish) => wish.run(call).await,
            Self::Dequeue(wish) => wish.run(call).await,
            Self::Members(wish) => wish.run(call).await,
            Self::Look(look) => look.run(call).await,
        }
    }
}

/// The input of a field, or an object in it.
pub(super) struct Input(pub(super) Body);

impl Input {
    /// A string that must be there.
    pub(super) fn required(&self, name: &str) -> Result<String, Failure> {
        self.string(name)?.ok_or_else(|| invalid(name, "Expected value to not be null"))
    }

    pub(super) fn string(&self, name: &str) -> Result<Option<String>, Failure> {
        self.0.string(name).map(|text| text.map(str::to_owned)).map_err(|error| of_body(name, error))
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Failure> {
        self.0.flag(name).map_err(|error| of_body(name, error))
    }

    /// An object; a missing one is empty.
    pub(super) fn object(&self, name: &str) -> Result<Self, Failure> {
        let found = self.0.object(name).map_err(|error| of_body(name, error))?;
        Ok(Self(found.unwrap_or_else(|| Body::within(&Map::new()))))
    }

    /// A list of objects; a missing one is empty.
    pub(super) fn objects(&self, name: &str) -> Result<Vec<Self>, Failure> {
        let found = self.0.list(name).map_err(|error| of_body(name, error))?;
        let object = |item: &Value| match item {
            Value::Object(members) => Ok(Self(Body::within(members))),
            _ => Err(invalid(name, "Expected an object")),
        };
        found.into_iter().flatten().map(object).collect()
    }
}

/// A variable that its type does not allow.
pub(super) fn invalid(name: &str, why: &str) -> Failure {
    Failure::of_document(format!("Variable was provided invalid value for {name} ({why})"))
}

fn of_body(name: &str, error: ApiError) -> Failure {
    match error {
        ApiError::Refused { message, .. } => invalid(name, &message.replace('\n', " ")),
        ApiError::NoRoute | ApiError::Moved { .. } | ApiError::Failed(_) => invalid(name, "it could not be read"),
    }
}

/// Refuses another repository's id.
pub(super) fn must_be_here(world: &World, id: &str) -> Result<(), Failure> {
    if id == repository_node_id(world) {
        return Ok(());
    }
    Err(unresolved(id))
}

/// An id of nothing that the twin has.
pub(super) fn unresolved(id: &str) -> Failure {
    Failure::new("NOT_FOUND", format!("Could not resolve to a node with the global id of '{id}'"))
}
