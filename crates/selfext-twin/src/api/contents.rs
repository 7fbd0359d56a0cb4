//! Files and directories of a commit.

use serde_json::{Value, json};

use super::blobs::wrapped;
use super::call::Call;
use super::error::ApiError;
use super::reply::Reply;
use super::route::{ApiResult, Route};
use super::urls::{encoded, encoded_path};
use crate::git::{Oid, TreeEntry};

/// GitHub sends no larger file as JSON, in bytes.
const LARGEST_JSON: usize = 1 << 20;
/// How many entries of a directory GitHub lists.
const MOST_LISTED: usize = 1_000;

pub(super) const ROUTES: &[Route] = &[Route {
    method: "GET",
    template: "/repos/{owner}/{repo}/contents/{path}",
    docs: "repos/contents#get-repository-content",
    run: |call| Box::pin(get(call)),
}];

/// A path at a commit.
struct Place<'a> {
    path: Vec<&'a str>,
    at: &'a str,
}

async fn get(call: &Call<'_>) -> ApiResult {
    let named = call.query("ref").filter(|name| !name.is_empty());
    let at = named.unwrap_or(&call.world.default_branch);
    let resolved = call.world.resolve(at).await?;
    let commit = resolved.ok_or_else(|| ApiError::missing(format!("No commit found for the ref {at}")))?;
    let git = &call.world.git;
    let root = git.tree_of(commit).await?.ok_or_else(ApiError::not_found)?;

    let path = call.param("path").trim_end_matches('/');
    let path: Vec<&str> = if path.is_empty() { Vec::new() } else { path.split('/').collect() };
    let entry = git.entry_at(root, &path).await?.ok_or_else(ApiError::not_found)?;
    let place = Place { path, at };
    if entry.is_tree() {
        return directory(call, &place, entry.oid).await;
    }
    if entry.is_submodule() {
        return Ok(Reply::ok(place.described(call, entry, "submodule", 0)));
    }
    let (_, data) = git.object(entry.oid).await?.ok_or_else(ApiError::not_found)?;
    if entry.is_link() {
        return link(call, &place, root, entry, &data).await;
    }
    Ok(file(call, &place, entry, data))
}

fn file(call: &Call<'_>, place: &Place<'_>, entry: TreeEntry, data: Vec<u8>) -> Reply {
    if call.wants_raw() {
        return Reply::raw(data);
    }
    let mut shown = place.described(call, entry, "file", data.len());
    let (encoding, content) =
        if data.len() > LARGEST_JSON { ("none", String::new()) } else { ("base64", wrapped(&data)) };
    shown["encoding"] = json!(encoding);
    shown["content"] = json!(content);
    Reply::ok(shown)
}

/// A link to a file of the repository is answered with the file, any other with itself.
async fn link(call: &Call<'_>, place: &Place<'_>, root: Oid, entry: TreeEntry, data: &[u8]) -> ApiResult {
    let git = &call.world.git;
    let target = String::from_utf8_lossy(data);
    if let Some(path) = place.resolved_link(&target)
        && let Some(found) = git.entry_at(root, &path).await?
        && !found.is_tree()
        && !found.is_link()
        && !found.is_submodule()
        && let Some((_, data)) = git.object(found.oid).await?
    {
        return Ok(file(call, place, found, data));
    }
    let mut shown = place.described(call, entry, "symlink", data.len());
    shown["target"] = json!(target);
    Ok(Reply::ok(shown))
}

async fn directory(call: &Call<'_>, place: &Place<'_>, tree: Oid) -> ApiResult {
    let (entries, _) = call.world.git.list_tree(tree, false).await?;
    let shown: Vec<Value> = entries
        .iter()
        .take(MOST_LISTED)
        .map(|listed| {
            let mode = u32::from_str_radix(&listed.mode, 8).unwrap_or_default();
            let entry = TreeEntry { mode, oid: listed.oid };
            let kind = match mode {
                0o40000 => "dir",
                0o120_000 => "symlink",
                0o160_000 => "submodule",
                _ => "file",
            };
            let mut path = place.path.clone();
            path.push(&listed.path);
            let below = Place { path, at: place.at };
            let size = listed.size.and_then(|size| usize::try_from(size).ok());
            below.described(call, entry, kind, size.unwrap_or_default())
        })
        .collect();
    Ok(Reply::ok(Value::Array(shown)))
}

impl<'a> Place<'a> {
    fn described(&self, call: &Call<'_>, entry: TreeEntry, kind: &str, size: usize) -> Value {
        let urls = call.urls();
        let path = self.path.join("/");
        let encoded_path = encoded_path(&path);
        let at = encoded(self.at);
        let plural = if entry.is_tree() { "trees" } else { "blobs" };
        let page = if entry.is_tree() { "tree" } else { "blob" };
        let own = urls.api(format_args!("contents/{encoded_path}?ref={at}"));
        let git = urls.api(format_args!("git/{plural}/{}", entry.oid));
        let html = urls.html(format_args!("{page}/{at}/{encoded_path}"));
        let download = (kind == "file").then(|| urls.html(format_args!("raw/{at}/{encoded_path}")));
        json!({
            "type": kind,
            "size": size,
            "name": self.path.last().copied().unwrap_or_default(),
            "path": path,
            "sha": entry.oid,
            "url": own,
            "git_url": git,
            "html_url": html,
            "download_url": download,
            "_links": {"self": own, "git": git, "html": html},
        })
    }

    /// Where a link leads to, if that is inside the repository.
    fn resolved_link<'b>(&self, target: &'b str) -> Option<Vec<&'b str>>
    where
        'a: 'b,
    {
        if target.starts_with('/') {
            return None;
        }
        let mut path: Vec<&str> = self.path[..self.path.len().checked_sub(1)?].to_vec();
        for name in target.split('/') {
            match name {
                "" | "." => {}
                ".." => {
                    path.pop()?;
                }
                name => path.push(name),
            }
        }
        Some(path)
    }
}
