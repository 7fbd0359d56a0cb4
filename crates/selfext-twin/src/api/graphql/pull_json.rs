//! Pull requests, entries of queues and commits as GraphQL shows them.

use serde_json::{Value, json};

use super::failure::RunError;
use crate::api::call::Call;
use crate::api::repository_json::node_id;
use crate::clock;
use crate::forge::{Verdict, verdict};
use crate::git::{GitError, Oid};
use crate::state::{Pull, State};

/// A pull request, with every field that its type has here.
pub(super) async fn pull_json(call: &Call<'_>, state: &State, pull: &Pull) -> Result<Value, RunError> {
    let merged = pull.merged.as_ref();
    let word = match (pull.open, merged) {
        (true, _) => "OPEN",
        (false, Some(_)) => "MERGED",
        (false, None) => "CLOSED",
    };
    let merge_commit = match merged {
        Some(merged) => commit_json(call, merged.sha).await?,
        None => Value::Null,
    };
    Ok(json!({
        "id": node_id("PullRequest", pull.id),
        "number": pull.number,
        "url": call.urls().html(format_args!("pull/{}", pull.number)),
        "title": pull.title,
        "body": pull.body.as_deref().unwrap_or_default(),
        "state": word,
        "isDraft": pull.draft,
        "merged": merged.is_some(),
        "mergedAt": merged.map(|merged| clock::text(merged.at)),
        "closed": !pull.open,
        "headRefName": pull.head,
        "headRefOid": pull.head_sha,
        "baseRefName": pull.base,
        "baseRefOid": pull.base_sha,
        "isInMergeQueue": pull.queued.is_some(),
        "isMergeQueueEnabled": state.settings.queue_rules(&pull.base).is_some(),
        "mergeCommit": merge_commit,
        "mergeQueueEntry": entry_json(call, state, pull).await?,
    }))
}

/// Its place in its queue; null if it has none.
pub(super) async fn entry_json(call: &Call<'_>, state: &State, pull: &Pull) -> Result<Value, RunError> {
    let Some(queued) = &pull.queued else { return Ok(Value::Null) };
    let (mut word, mut base, mut head) = ("QUEUED", Value::Null, Value::Null);
    if let Some(group) = &pull.group {
        word = match verdict(state, &pull.base, group.commit) {
            Verdict::Green => "MERGEABLE",
            Verdict::Red => "UNMERGEABLE",
            Verdict::Waiting => "AWAITING_CHECKS",
        };
        base = commit_json(call, group.base).await?;
        head = commit_json(call, group.commit).await?;
    }
    let ahead = state.queue(&pull.base).iter().take_while(|number| **number != pull.number).count();
    Ok(json!({
        "id": node_id("MergeQueueEntry", queued.id),
        "position": ahead + 1,
        "state": word,
        "enqueuedAt": clock::text(queued.at),
        "estimatedTimeToMerge": null,
        "jump": queued.jump,
        "solo": false,
        "enqueuer": {"login": queued.by},
        "baseCommit": base,
        "headCommit": head,
    }))
}

async fn commit_json(call: &Call<'_>, oid: Oid) -> Result<Value, GitError> {
    let Some(commit) = call.world.git.commit(oid).await? else { return Ok(Value::Null) };
    let parents: Vec<Value> =
        commit.parents.iter().map(|parent| json!({"id": node_id("Commit", parent), "oid": parent})).collect();
    Ok(json!({
        "id": node_id("Commit", oid),
        "oid": oid,
        "url": call.urls().html(format_args!("commit/{oid}")),
        "message": commit.message,
        "tree": {"id": node_id("Tree", commit.tree), "oid": commit.tree},
        "parents": {"totalCount": parents.len(), "nodes": parents},
    }))
}
