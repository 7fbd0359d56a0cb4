//! Commits and changed files as GitHub shows them.

use serde_json::{Value, json};

use super::repository_json::node_id;
use super::urls::{Urls, encoded_path};
use crate::clock;
use crate::git::{Commit, FileChange, Oid, Signature};

fn who(signature: &Signature) -> Value {
    json!({
        "name": signature.name,
        "email": signature.email,
        "date": clock::text(signature.at.to_utc()),
    })
}

fn unverified() -> Value {
    json!({
        "verified": false,
        "reason": "unsigned",
        "signature": null,
        "payload": null,
        "verified_at": null,
    })
}

fn parents(urls: Urls<'_>, kind: &str, commit: &Commit) -> Vec<Value> {
    let parent = |sha: &Oid| {
        json!({
            "sha": sha,
            "url": urls.api(format_args!("{kind}/{sha}")),
            "html_url": urls.html(format_args!("commit/{sha}")),
        })
    };
    commit.parents.iter().map(parent).collect()
}

fn tree(urls: Urls<'_>, commit: &Commit) -> Value {
    json!({
        "sha": commit.tree,
        "url": urls.api(format_args!("git/trees/{}", commit.tree)),
    })
}

/// A commit as the git database has it.
pub(super) fn plain(urls: Urls<'_>, commit: &Commit) -> Value {
    let sha = commit.oid;
    json!({
        "sha": sha,
        "node_id": node_id("Commit", sha),
        "url": urls.api(format_args!("git/commits/{sha}")),
        "html_url": urls.html(format_args!("commit/{sha}")),
        "author": who(&commit.author),
        "committer": who(&commit.committer),
        "tree": tree(urls, commit),
        "message": commit.message,
        "parents": parents(urls, "git/commits", commit),
        "verification": unverified(),
    })
}

/// A commit of the repository. No user is known to have written it: addresses are not looked up.
pub(super) fn rich(urls: Urls<'_>, commit: &Commit) -> Value {
    let sha = commit.oid;
    let url = urls.api(format_args!("commits/{sha}"));
    json!({
        "sha": sha,
        "node_id": node_id("Commit", sha),
        "commit": {
            "author": who(&commit.author),
            "committer": who(&commit.committer),
            "message": commit.message,
            "tree": tree(urls, commit),
            "url": urls.api(format_args!("git/commits/{sha}")),
            "comment_count": 0,
            "verification": unverified(),
        },
        "comments_url": format!("{url}/comments"),
        "url": url,
        "html_url": urls.html(format_args!("commit/{sha}")),
        "author": null,
        "committer": null,
        "parents": parents(urls, "commits", commit),
    })
}

/// A changed file; `at` is the commit after the change. Patches are left out, as GitHub leaves out large ones.
pub(super) fn file(urls: Urls<'_>, change: &FileChange, at: Oid) -> Value {
    let path = encoded_path(&change.path);
    let mut shown = json!({
        "sha": change.oid,
        "filename": change.path,
        "status": change.status,
        "additions": change.additions,
        "deletions": change.deletions,
        "changes": change.additions + change.deletions,
        "blob_url": urls.html(format_args!("blob/{at}/{path}")),
        "raw_url": urls.html(format_args!("raw/{at}/{path}")),
        "contents_url": urls.api(format_args!("contents/{path}?ref={at}")),
    });
    if let Some(previous) = &change.previous {
        shown["previous_filename"] = json!(previous);
    }
    shown
}
