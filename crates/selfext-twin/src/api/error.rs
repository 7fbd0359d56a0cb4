//! Refusals, in GitHub's form.

use axum::http::StatusCode;
use axum::http::header::LOCATION;
use serde_json::{Value, json};

use super::reply::Reply;
use crate::git::GitError;
use crate::state::StoreError;
use crate::world::WorldError;

/// Why a request is not answered as its sender hopes.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// GitHub would refuse it too.
    Refused { status: StatusCode, message: String, errors: Vec<Value> },
    /// There is no such operation.
    NoRoute,
    /// It is elsewhere.
    Moved { read: bool, location: String },
    /// The machine failed.
    Failed(WorldError),
}

impl ApiError {
    fn refused(status: StatusCode, message: impl Into<String>) -> Self {
        Self::Refused { status, message: message.into(), errors: Vec::new() }
    }

    /// 400.
    pub(super) fn bad_request(message: &str) -> Self {
        Self::refused(StatusCode::BAD_REQUEST, message)
    }

    /// 401.
    pub(super) fn bad_credentials() -> Self {
        Self::refused(StatusCode::UNAUTHORIZED, "Bad credentials")
    }

    /// 401 with other words.
    pub(super) fn unauthorized(message: &str) -> Self {
        Self::refused(StatusCode::UNAUTHORIZED, message)
    }

    /// 403 where an App has no business.
    pub(super) fn not_for_apps() -> Self {
        Self::refused(StatusCode::FORBIDDEN, "Resource not accessible by integration")
    }

    /// 403 where only an App has any business.
    pub(super) fn for_apps_alone() -> Self {
        Self::refused(StatusCode::FORBIDDEN, "You must authenticate via a GitHub App.")
    }

    /// The repository has another name now: 301 to a read and 307 to anything else.
    pub(super) fn moved(read: bool, location: String) -> Self {
        Self::Moved { read, location }
    }

    /// 404.
    pub(super) fn not_found() -> Self {
        Self::refused(StatusCode::NOT_FOUND, "Not Found")
    }

    /// 404 for a path that the API does not have.
    pub(super) fn no_route() -> Self {
        Self::NoRoute
    }

    /// 404 with other words.
    pub(super) fn missing(message: impl Into<String>) -> Self {
        Self::refused(StatusCode::NOT_FOUND, message)
    }

    /// 405.
    pub(super) fn not_allowed(message: impl Into<String>) -> Self {
        Self::refused(StatusCode::METHOD_NOT_ALLOWED, message)
    }

    /// 409.
    pub(super) fn conflict(message: &str) -> Self {
        Self::refused(StatusCode::CONFLICT, message)
    }

    /// 422.
    pub(super) fn unprocessable(message: impl Into<String>) -> Self {
        Self::refused(StatusCode::UNPROCESSABLE_ENTITY, message)
    }

    /// 422 "Validation Failed" with what GitHub lists under `errors`.
    pub(super) fn invalid(errors: Vec<Value>) -> Self {
        Self::Refused { status: StatusCode::UNPROCESSABLE_ENTITY, message: "Validation Failed".to_owned(), errors }
    }

    /// 422 for one field, with one of GitHub's codes (`missing_field`, `invalid`, …).
    pub(super) fn invalid_field(resource: &str, field: &str, code: &str) -> Self {
        Self::invalid(vec![json!({"resource": resource, "field": field, "code": code})])
    }

    /// 422 for a rule that GitHub puts into words.
    pub(super) fn custom(resource: &str, message: &str) -> Self {
        Self::invalid(vec![json!({"resource": resource, "code": "custom", "message": message})])
    }

    /// 422 for a name that stands for no commit.
    pub(super) fn no_commit(name: &str) -> Self {
        Self::unprocessable(format!("No commit found for SHA: {name}"))
    }

    /// What it says, with the words of its parts.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Refused { message, errors, .. } => {
                let parts = errors.iter().filter_map(|error| error["message"].as_str());
                [message.as_str()].into_iter().chain(parts).collect::<Vec<_>>().join(": ")
            }
            Self::NoRoute => "Not Found".to_owned(),
            Self::Moved { location, .. } => format!("It is at {location}"),
            Self::Failed(error) => error.to_string(),
        }
    }

    /// The answer that says so; `docs` is the operation's place in GitHub's documentation.
    pub(super) fn reply(self, docs: &str) -> Reply {
        let (status, message, errors) = match self {
            Self::Refused { status, message, errors } => (status, message, errors),
            Self::NoRoute => return Self::not_found().reply(""),
            Self::Moved { read, location } => return moved(read, &location),
            Self::Failed(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the twin failed");
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                (status, "Server Error".to_owned(), Vec::new())
            }
        };
        let mut place = "https://docs.github.com/rest".to_owned();
        if !docs.is_empty() {
            place = format!("{place}/{docs}");
        }
        let mut body = json!({
            "message": message,
            "documentation_url": place,
            "status": status.as_u16().to_string(),
        });
        if !errors.is_empty() {
            body["errors"] = Value::Array(errors);
        }
        Reply::json(status, body)
    }
}

fn moved(read: bool, location: &str) -> Reply {
    let (status, message) = if read {
        (StatusCode::MOVED_PERMANENTLY, "Moved Permanently")
    } else {
        (StatusCode::TEMPORARY_REDIRECT, "Temporary Redirect")
    };
    let documentation = "https://docs.github.com/rest/guides/best-practices-for-using-the-rest-api#follow-redirects";
    let body = json!({"message": message, "url": location, "documentation_url": documentation});
    Reply::json(status, body).with(LOCATION, Some(location))
}

impl From<WorldError> for ApiError {
    fn from(error: WorldError) -> Self {
        Self::Failed(error)
    }
}

impl From<GitError> for ApiError {
    fn from(error: GitError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}
