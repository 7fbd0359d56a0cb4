//! Git trees.

use serde_json::{Map, Value, json};

use super::body::Body;
use super::call::Call;
use super::error::ApiError;
use super::reply::Reply;
use super::route::{ApiResult, Route};
use super::urls::Urls;
use crate::git::{ListedEntry, Oid, TreeChange, TreeEditError, TreeEntry, path_segments};

/// GitHub's limit on the entries of one request.
const MOST_ENTRIES: usize = 100_000;

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        template: "/repos/{owner}/{repo}/git/trees",
        docs: "git/trees#create-a-tree",
        run: |call| Box::pin(create(call)),
    },
    Route {
        method: "GET",
        template: "/repos/{owner}/{repo}/git/trees/{tree_sha}",
        docs: "git/trees#get-a-tree",
        run: |call| Box::pin(get(call)),
    },
];

fn tree_json(urls: Urls<'_>, tree: Oid, entries: &[ListedEntry], truncated: bool) -> Value {
    let entries: Vec<Value> = entries.iter().map(|entry| entry_json(urls, entry)).collect();
    json!({
        "sha": tree,
        "url": urls.api(format_args!("git/trees/{tree}")),
        "tree": entries,
        "truncated": truncated,
    })
}

fn entry_json(urls: Urls<'_>, entry: &ListedEntry) -> Value {
    let mut shown = json!({
        "path": entry.path,
        "mode": entry.mode,
        "type": entry.kind,
        "sha": entry.oid,
    });
    let plural = match entry.kind.as_str() {
        "tree" => "trees",
        "blob" => "blobs",
        // A submodule's commit is in another repository, so it has no address in this one.
        _ => return shown,
    };
    shown["url"] = json!(urls.api(format_args!("git/{plural}/{}", entry.oid)));
    if let Some(size) = entry.size {
        shown["size"] = json!(size);
    }
    shown
}

async fn get(call: &Call<'_>) -> ApiResult {
    let name = call.param("tree_sha");
    let git = &call.world.git;
    let tree = match Oid::parse(name) {
        Some(oid) => git.tree_of(oid).await?,
        None => match call.world.resolve(name).await? {
            Some(commit) => git.tree_of(commit).await?,
            None => None,
        },
    };
    let tree = tree.ok_or_else(ApiError::not_found)?;
    // GitHub looks only whether the parameter is there: `recursive=0` lists recursively too.
    let recursive = call.query("recursive").is_some();
    let (entries, truncated) = git.list_tree(tree, recursive).await?;
    Ok(Reply::ok(tree_json(call.urls(), tree, &entries, truncated)))
}

async fn create(call: &Call<'_>) -> ApiResult {
    let body = call.body()?;
    let entries =
        body.list("tree")?.ok_or_else(|| ApiError::unprocessable("Invalid request.\n\n\"tree\" wasn't supplied."))?;
    if entries.len() > MOST_ENTRIES {
        return Err(ApiError::unprocessable("Too many tree entries"));
    }
    let base = match body.string("base_tree")? {
        None => None,
        Some(text) => {
            let invalid = || ApiError::unprocessable("base_tree is not a valid tree oid");
            let oid = Oid::parse(text).ok_or_else(invalid)?;
            Some(call.world.git.tree_of(oid).await?.ok_or_else(invalid)?)
        }
    };
    let wishes = entries.iter().map(Wish::read).collect::<Result<Vec<_>, _>>()?;
    check_objects(call, &wishes).await?;
    let mut changes = Vec::with_capacity(wishes.len());
    for wish in &wishes {
        changes.push((wish.path.clone(), wish.carry_out(call).await?));
    }
    let tree = match call.world.git.edit_tree(base, &changes).await {
        Ok(tree) => tree,
        Err(TreeEditError::NothingToDelete) => {
            return Err(ApiError::unprocessable("GitRPC::BadObjectState"));
        }
        Err(TreeEditError::Git(error)) => return Err(error.into()),
    };
    let (entries, truncated) = call.world.git.list_tree(tree, false).await?;
    Ok(Reply::created(tree_json(call.urls(), tree, &entries, truncated)))
}

/// What a client wants of one path.
struct Wish<'a> {
    path: Vec<&'a str>,
    mode: u32,
    what: What<'a>,
}

enum What<'a> {
    Object(Oid),
    Content(&'a str),
    Nothing,
}

impl<'a> Wish<'a> {
    fn read(entry: &'a Value) -> Result<Self, ApiError> {
        let refuse = |message: &str| Err(ApiError::unprocessable(message));
        let Value::Object(entry) = entry else {
            return refuse("Invalid request.\n\nFor 'items', it is not an object.");
        };
        let text = |name| text_member(entry, name);
        let Some(path) = text("path")? else {
            return refuse("tree.path is required");
        };
        if path.starts_with('/') {
            return refuse("tree.path cannot start with a slash");
        }
        let Some(path) = path_segments(path) else {
            return refuse("tree.path contains a malformed path component");
        };
        let what = match (entry.get("sha"), text("content")?) {
            (Some(Value::Null), None) => What::Nothing,
            (None | Some(Value::Null), Some(content)) => What::Content(content),
            (Some(Value::String(sha)), None) => match Oid::parse(sha) {
                Some(oid) => What::Object(oid),
                None => {
                    return refuse("tree.sha must be exactly 40 characters and contain only [0-9a-f]");
                }
            },
            _ => return refuse("Must supply either tree.sha or tree.content"),
        };
        let mode = match (text("mode")?, &what) {
            (Some("100644"), _) => 0o100_644,
            (Some("100755"), _) => 0o100_755,
            (Some("120000"), _) => 0o120_000,
            (Some("040000"), What::Object(_) | What::Nothing) => 0o40000,
            (Some("160000"), What::Object(_) | What::Nothing) => 0o160_000,
            (None, What::Nothing) => 0,
            _ => return refuse("Must supply a valid tree.mode"),
        };
        Ok(Self { path, mode, what })
    }

    async fn carry_out(&self, call: &Call<'_>) -> Result<TreeChange, ApiError> {
        let oid = match self.what {
            What::Nothing => return Ok(TreeChange::Delete),
            What::Object(oid) => oid,
            What::Content(content) => call.world.git.write_blob(content.as_bytes()).await?,
        };
        Ok(TreeChange::Put(TreeEntry { mode: self.mode, oid }))
    }
}

fn text_member<'a>(entry: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, ApiError> {
    match entry.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        // The refusal is the same as for a member of the body.
        Some(_) => Body::within(entry).string(name).map(|_| None),
    }
}

/// Refuses entries whose object does not exist or is not of the kind that their mode asks for.
async fn check_objects(call: &Call<'_>, wishes: &[Wish<'_>]) -> Result<(), ApiError> {
    let named: Vec<TreeEntry> = wishes
        .iter()
        .filter_map(|wish| match wish.what {
            What::Object(oid) => Some(TreeEntry { mode: wish.mode, oid }),
            _ => None,
        })
        .filter(|entry| !entry.is_submodule())
        .collect();
    let oids: Vec<Oid> = named.iter().map(|entry| entry.oid).collect();
    let infos = call.world.git.infos(&oids).await?;
    for (entry, info) in named.iter().zip(infos) {
        let kind = entry.kind();
        if info.is_none_or(|info| info.kind != kind) {
            let words = format!("tree.sha {} is not a valid {kind}", entry.oid);
            return Err(ApiError::unprocessable(words));
        }
    }
    Ok(())
}
