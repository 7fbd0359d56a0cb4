//! Answers as bytes.

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use crate::api::{Content, Reply};
use crate::record::Entry;
use crate::world::World;

/// An answer with this status and body.
pub(super) fn json_reply(status: u16, body: Value) -> Reply {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Reply::json(status, body)
}

/// An answer of the server itself, in GitHub's form.
pub(super) fn plain_reply(status: StatusCode, message: &str) -> Reply {
    let body = json!({
        "message": message,
        "documentation_url": "https://docs.github.com/rest",
        "status": status.as_u16().to_string(),
    });
    Reply::json(status, body)
}

/// Records an answer and makes it ready to be sent.
pub(super) fn send(world: &World, entry: &Entry, reply: Reply) -> Response {
    let mut recorded = match &reply.content {
        Content::Json(value) => Some(value.clone()),
        Content::Raw(_) | Content::Empty => None,
    };
    if let Some(recorded) = recorded.as_mut().filter(|_| reply.secret) {
        recorded["token"] = json!("…");
    }
    let (mut response, body) = rendered(world, reply);
    entry.answered(response.status().as_u16(), recorded.as_ref(), body.len());
    *response.body_mut() = Body::from(body);
    response
}

/// The head of an answer and the bytes of its body.
pub(super) fn rendered(world: &World, reply: Reply) -> (Response, Bytes) {
    let (kind, body) = match reply.content {
        Content::Json(value) => (Some("application/json; charset=utf-8"), value.to_string().into()),
        Content::Raw(data) => (Some("application/vnd.github.raw+json; charset=utf-8"), data.into()),
        Content::Empty => (None, Bytes::new()),
    };
    let mut response = Response::default();
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    if let Some(kind) = kind {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    for (name, value) in world.meter.standing().headers() {
        headers.insert(name, value);
    }
    for (name, value) in reply.headers {
        headers.insert(name, value);
    }
    (response, body)
}
