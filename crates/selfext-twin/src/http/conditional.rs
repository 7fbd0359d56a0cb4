//! Entity tags.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use axum::http::header::{AUTHORIZATION, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};

use crate::api::{Content, Reply};

/// Gives a successful answer to a `GET` its entity tag, or takes its body away if the client named that tag. As GitHub's,
/// the tag changes with the client's token.
pub(super) fn tagged(method: &str, request: &HeaderMap, mut reply: Reply) -> Reply {
    let (true, StatusCode::OK, Content::Json(body)) = (method == "GET", reply.status, &reply.content) else {
        return reply;
    };
    let mut hasher = DefaultHasher::new();
    request.get(AUTHORIZATION).map(HeaderValue::as_bytes).hash(&mut hasher);
    body.to_string().hash(&mut hasher);
    let Ok(tag) = HeaderValue::try_from(format!("W/\"{:016x}\"", hasher.finish())) else {
        return reply;
    };
    let known = request.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let same = known.flat_map(|tags| tags.split(',')).any(|known| tag == known.trim());
    if same {
        reply.status = StatusCode::NOT_MODIFIED;
        reply.content = Content::Empty;
    }
    reply.headers.push((ETAG, tag));
    reply
}
