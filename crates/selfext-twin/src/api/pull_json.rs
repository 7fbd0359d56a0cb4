//! Pull requests as GitHub shows them.

use serde_json::{Value, json};

use super::repository_json::{node_id, short, user};
use super::urls::Urls;
use crate::clock;
use crate::forge::Mergeability;
use crate::git::Oid;
use crate::state::Pull;
use crate::world::World;

/// What the full form says beyond the simple one.
pub(super) struct Details {
    pub(super) mergeability: Mergeability,
    pub(super) commits: usize,
    pub(super) additions: u64,
    pub(super) deletions: u64,
    pub(super) changed_files: usize,
    pub(super) comments: usize,
}

/// The form in which lists show a pull request.
pub(super) fn simple(world: &World, pull: &Pull, test_merge: Option<Oid>) -> Value {
    let urls = Urls::of(world);
    let number = pull.number;
    let url = urls.api(format_args!("pulls/{number}"));
    let issue = urls.api(format_args!("issues/{number}"));
    let html = urls.html(format_args!("pull/{number}"));
    let statuses = urls.api(format_args!("statuses/{}", pull.head_sha));
    let merged = pull.merged.as_ref();
    let link = |address: &str| json!({"href": address});
    json!({
        "url": url,
        "id": pull.id,
        "node_id": node_id("PullRequest", pull.id),
        "html_url": html,
        "diff_url": format!("{html}.diff"),
        "patch_url": format!("{html}.patch"),
        "issue_url": issue,
        "commits_url": format!("{url}/commits"),
        "review_comments_url": format!("{url}/comments"),
        "review_comment_url": format!("{}{{/number}}", urls.api("pulls/comments")),
        "comments_url": format!("{issue}/comments"),
        "statuses_url": statuses,
        "number": number,
        "state": if pull.open { "open" } else { "closed" },
        "locked": false,
        "title": pull.title,
        "user": user(urls, &pull.user),
        "body": pull.body,
        "labels": [],
        "milestone": null,
        "active_lock_reason": null,
        "created_at": clock::text(pull.created_at),
        "updated_at": clock::text(pull.updated_at),
        "closed_at": pull.closed_at.map(clock::text),
        "merged_at": merged.map(|merged| clock::text(merged.at)),
        "merge_commit_sha": merged.map(|merged| merged.sha).or(test_merge),
        "assignee": null,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "head": end(world, &pull.head, pull.head_sha),
        "base": end(world, &pull.base, pull.base_sha),
        "_links": {
            "self": link(&url),
            "html": link(&html),
            "issue": link(&issue),
            "comments": link(&format!("{issue}/comments")),
            "review_comments": link(&format!("{url}/comments")),
            "commits": link(&format!("{url}/commits")),
            "statuses": link(&statuses),
        },
        "author_association": "OWNER",
        "auto_merge": null,
        "draft": pull.draft,
    })
}

fn end(world: &World, branch: &str, sha: Oid) -> Value {
    let owner = &world.identity().owner;
    json!({
        "label": format!("{owner}:{branch}"),
        "ref": branch,
        "sha": sha,
        "user": user(Urls::of(world), owner),
        "repo": short(world),
    })
}

/// The form in which a single pull request is shown.
pub(super) fn full(world: &World, pull: &Pull, details: &Details) -> Value {
    let mergeability = &details.mergeability;
    let mut shown = simple(world, pull, mergeability.test_merge);
    let merged = pull.merged.as_ref();
    shown["merged"] = json!(merged.is_some());
    shown["mergeable"] = json!(mergeability.mergeable);
    shown["rebaseable"] = json!(mergeability.mergeable);
    shown["mergeable_state"] = json!(mergeability.state);
    shown["merged_by"] = json!(merged.map(|merged| user(Urls::of(world), &merged.by)));
    shown["comments"] = json!(details.comments);
    shown["review_comments"] = json!(0);
    shown["maintainer_can_modify"] = json!(false);
    shown["commits"] = json!(details.commits);
    shown["additions"] = json!(details.additions);
    shown["deletions"] = json!(details.deletions);
    shown["changed_files"] = json!(details.changed_files);
    shown
}

/// The form in which check runs name their pull requests.
pub(super) fn minimal(world: &World, pull: &Pull) -> Value {
    let urls = Urls::of(world);
    let repo = json!({"id": short(world)["id"], "url": urls.repository(), "name": world.identity().name});
    json!({
        "id": pull.id,
        "number": pull.number,
        "url": urls.api(format_args!("pulls/{}", pull.number)),
        "head": {"ref": pull.head, "sha": pull.head_sha, "repo": repo},
        "base": {"ref": pull.base, "sha": pull.base_sha, "repo": repo},
    })
}
