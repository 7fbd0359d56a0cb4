//! Git blobs.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde_json::json;

use super::call::Call;
use super::error::ApiError;
use super::refs::malformed_sha;
use super::reply::Reply;
use super::repository_json::node_id;
use super::route::{ApiResult, Route};

/// GitHub takes no larger file over this operation, in bytes after decoding.
const LARGEST: usize = 40 << 20;

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        template: "/repos/{owner}/{repo}/git/blobs",
        docs: "git/blobs#create-a-blob",
        run: |call| Box::pin(create(call)),
    },
    Route {
        method: "GET",
        template: "/repos/{owner}/{repo}/git/blobs/{file_sha}",
        docs: "git/blobs#get-a-blob",
        run: |call| Box::pin(get(call)),
    },
];

/// Base64 with a line break after every 60 characters, as GitHub sends it.
pub(super) fn wrapped(data: &[u8]) -> String {
    let plain = STANDARD.encode(data);
    let mut text = String::with_capacity(plain.len() + plain.len() / 60 + 1);
    // Base64 is ASCII, so every offset is between two characters.
    for start in (0..plain.len()).step_by(60) {
        text.push_str(&plain[start..plain.len().min(start + 60)]);
        text.push('\n');
    }
    text
}

async fn create(call: &Call<'_>) -> ApiResult {
    let body = call.body()?;
    let content = body.required("content")?;
    let data = match body.string("encoding")?.unwrap_or("utf-8") {
        "utf-8" => content.as_bytes().to_vec(),
        "base64" => decoded(content).ok_or_else(|| ApiError::unprocessable("content is not valid Base64"))?,
        _ => {
            return Err(ApiError::unprocessable("encoding must be 'utf-8' or 'base64'"));
        }
    };
    if data.len() > LARGEST {
        return Err(ApiError::unprocessable("Input is too large"));
    }
    let oid = call.world.git.write_blob(&data).await?;
    Ok(Reply::created(json!({
        "sha": oid,
        "url": call.urls().api(format_args!("git/blobs/{oid}")),
    })))
}

fn decoded(content: &str) -> Option<Vec<u8>> {
    let dense: String = content.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD_NO_PAD.decode(dense.trim_end_matches('=')).ok()
}

async fn get(call: &Call<'_>) -> ApiResult {
    let oid = call.oid("file_sha").ok_or_else(malformed_sha)?;
    let (info, data) = call.world.git.object(oid).await?.ok_or_else(ApiError::not_found)?;
    if info.kind != "blob" {
        return Err(ApiError::not_found());
    }
    if call.wants_raw() {
        return Ok(Reply::raw(data));
    }
    Ok(Reply::ok(json!({
        "sha": oid,
        "node_id": node_id("Blob", oid),
        "size": info.size,
        "url": call.urls().api(format_args!("git/blobs/{oid}")),
        "content": wrapped(&data),
        "encoding": "base64",
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_sent_in_lines_and_read_back_with_or_without_them() {
        let data: Vec<u8> = (0..=255).collect();
        let text = wrapped(&data);
        assert!(text.lines().all(|line| line.len() <= 60));
        assert_eq!(decoded(&text), Some(data));
        assert_eq!(decoded("aGk"), Some(b"hi".to_vec()));
        assert_eq!(decoded("a*"), None);
    }
}
