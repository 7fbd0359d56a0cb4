//! An answer before it becomes bytes.

use axum::http::{HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

/// A status, headers and a body.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The status.
    pub(crate) status: StatusCode,
    /// Headers besides those that every answer has.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub(crate) content: Content,
    /// Whether the body holds a token, so that it is not recorded.
    pub(crate) secret: bool,
}

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Content {
    /// JSON.
    Json(Value),
    /// A file's bytes.
    Raw(Vec<u8>),
    /// Nothing.
    Empty,
}

impl Reply {
    /// JSON with this status.
    pub(crate) fn json(status: StatusCode, value: Value) -> Self {
        Self { status, headers: Vec::new(), content: Content::Json(value), secret: false }
    }

    /// 200 with JSON.
    pub(super) fn ok(value: Value) -> Self {
        Self::json(StatusCode::OK, value)
    }

    /// 201 with JSON.
    pub(super) fn created(value: Value) -> Self {
        Self::json(StatusCode::CREATED, value)
    }

    /// 204.
    pub(super) fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, headers: Vec::new(), content: Content::Empty, secret: false }
    }

    /// 200 with a file's bytes.
    pub(super) fn raw(bytes: Vec<u8>) -> Self {
        Self { status: StatusCode::OK, headers: Vec::new(), content: Content::Raw(bytes), secret: false }
    }

    /// Keeps the body's `token` out of the record.
    pub(super) fn secret(self) -> Self {
        Self { secret: true, ..self }
    }

    /// Adds a header, unless the value is none that HTTP allows.
    pub(super) fn with(mut self, name: HeaderName, value: Option<&str>) -> Self {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            self.headers.push((name, value));
        }
        self
    }
}
