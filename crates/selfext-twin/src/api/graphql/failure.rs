//! What goes wrong, in GraphQL's form.

use serde_json::{Value, json};

use crate::api::error::ApiError;
use crate::git::GitError;
use crate::state::StoreError;
use crate::world::WorldError;

/// An entry of `errors`.
#[derive(Debug)]
pub(super) struct Failure {
    kind: Option<&'static str>,
    message: String,
}

impl Failure {
    /// Of the document or its variables: nothing of the request is done.
    pub(super) fn of_document(message: impl Into<String>) -> Self {
        Self { kind: None, message: message.into() }
    }

    /// Of one field, with GitHub's word for its kind.
    pub(super) fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind: Some(kind), message: message.into() }
    }

    /// A refusal that REST gives too.
    fn of_refusal(message: String, errors: &[Value]) -> Self {
        let words = |error: &Value| match (error["message"].as_str(), error["field"].as_str()) {
            (Some(message), _) => message.to_owned(),
            (None, Some("head")) => "Head sha can't be blank, Head ref must be a branch".to_owned(),
            (None, Some("base")) => "Base sha can't be blank, Base ref must be a branch".to_owned(),
            (None, field) => format!("{} is invalid", field.unwrap_or("It")),
        };
        let said: Vec<String> = errors.iter().map(words).collect();
        Self::new("UNPROCESSABLE", if said.is_empty() { message } else { said.join(", ") })
    }

    /// The entry; `path` leads to the field that it is about.
    pub(super) fn json(&self, path: &[&str]) -> Value {
        let mut entry = json!({"message": self.message});
        if let Some(kind) = self.kind {
            entry["type"] = json!(kind);
        }
        if !path.is_empty() {
            entry["path"] = json!(path);
        }
        entry
    }
}

/// Why a field was not carried out.
pub(super) enum RunError {
    /// GitHub would refuse it too.
    Refused(Failure),
    /// GitHub would refuse the field of this name below it, and give the rest.
    RefusedBelow(&'static str, Failure, Value),
    /// The machine failed.
    Failed(ApiError),
}

impl From<Failure> for RunError {
    fn from(failure: Failure) -> Self {
        Self::Refused(failure)
    }
}

impl From<ApiError> for RunError {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Refused { message, errors, .. } => Self::Refused(Failure::of_refusal(message, &errors)),
            ApiError::NoRoute | ApiError::Moved { .. } | ApiError::Failed(_) => Self::Failed(error),
        }
    }
}

impl From<WorldError> for RunError {
    fn from(error: WorldError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<GitError> for RunError {
    fn from(error: GitError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<StoreError> for RunError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}
