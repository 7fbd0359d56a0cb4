//! Events as a timeline, and as JSON.

use std::collections::{BTreeSet, HashSet};

use selfext::{EventBody, MergeWay, RecordedEvent, StageReport, StreamId};
use serde_json::{Value, json};

use super::outcome::BY_THE_QUEUE;
use super::{clean, clean_line};

/// Events as lines, each told by what the ones before it in its stream say.
#[derive(Default)]
pub struct Timeline {
    /// The streams whose last event is a `merge_started`.
    merging: HashSet<StreamId>,
}

impl Timeline {
    /// The next event as one line.
    pub fn line(&mut self, recorded: &RecordedEvent) -> String {
        let time = recorded.recorded_at.format("%Y-%m-%d %H:%M:%S%.3fZ");
        let event = &recorded.event;
        let request = event.pull_request.map(selfext::PullRequestNumber::get);
        let was_merging = self.merging.remove(&event.stream);
        let said = match (&event.body, request) {
            (EventBody::MergeStarted(started), Some(number)) if was_merging => {
                format!("merge of pull request {number} taken over by {}", started.holder)
            }
            (body, request) => headline(body, request),
        };
        if matches!(event.body, EventBody::MergeStarted(_)) {
            self.merging.insert(event.stream.clone());
        }
        format!(
            "{time}  {:<36}  {:>3}  {:<23}  {}",
            clean(event.stream.as_str()),
            recorded.sequence,
            clean(event.body.event_type()),
            clean_line(&said),
        )
    }
}

/// What an event says, on one line.
pub fn headline(body: &EventBody, pull_request: Option<u64>) -> String {
    let request = pull_request.map(|number| format!("pull request {number}")).unwrap_or_default();
    match body {
        EventBody::Proposed(proposed) => {
            let title = proposed.message.lines().next().unwrap_or_default();
            let files = proposed.files.len();
            let back = proposed.rollback_of.as_ref().map(|run| format!(", takes back run {run}")).unwrap_or_default();
            format!("{title} ({files} {}{back})", if files == 1 { "file" } else { "files" })
        }
        EventBody::Tested(tested) => {
            let stages: Vec<_> = tested.stages.iter().map(|stage| format!("{} {}", stage.name, stage.result)).collect();
            format!("on {}: {}{}", tested.base_commit.short(), stages.join(", "), missing_walls(&tested.stages))
        }
        EventBody::PromotionBlocked(blocked) => format!("{}: {}", blocked.refusal.reason, blocked.refusal.detail),
        EventBody::MergeStarted(started) => {
            let way = match started.way {
                MergeWay::Direct => "",
                MergeWay::Asynchronous => ", in the background",
                MergeWay::Queue => ", through the merge queue",
            };
            format!("{request} at {}{way}, permit of {}", started.head.short(), started.holder)
        }
        EventBody::MergeFenced(fenced) => format!("{request} at {}: {}", fenced.head.short(), fenced.detail),
        EventBody::Promoted(promoted) => {
            let tree = if promoted.checked_in_queue {
                BY_THE_QUEUE
            } else if promoted.tree_matches {
                "the tree is the one that was tested"
            } else {
                "THE TREE DIFFERS FROM THE TESTED ONE"
            };
            let window = if promoted.health.is_some() { "; its health window opens" } else { "" };
            format!("{request} landed as {}; {tree}{window}", promoted.commit.short())
        }
        EventBody::Failed(failed) => {
            format!("{}: {}{}", failed.refusal.reason, failed.refusal.detail, missing_walls(&failed.stages))
        }
        EventBody::RunAbandoned(abandoned) => by(abandoned.by.as_str(), abandoned.reason.as_deref()),
        EventBody::ChangeAllowed(allowed) => {
            let paths: Vec<&str> = allowed.paths.iter().map(selfext::RepoPath::as_str).collect();
            let touch = (!paths.is_empty()).then(|| format!(" to touch {}", paths.join(", ")));
            let again =
                allowed.again_after.as_ref().map(|run| format!(" to land again, after run {run} was rolled back"));
            format!(
                "{}{}{}",
                by(allowed.by.as_str(), allowed.reason.as_deref()),
                touch.unwrap_or_default(),
                again.unwrap_or_default()
            )
        }
        EventBody::PromotionPauseChanged(change) => {
            let what = match (change.paused, change.allow_rollbacks) {
                (true, true) => "paused, but for rollbacks,",
                (true, false) => "paused",
                (false, _) => "resumed",
            };
            format!("{what} {}", by(change.by.as_str(), change.reason.as_deref()))
        }
        EventBody::HistoryAccepted(accepted) => {
            format!("the database's new history {} accepted by {}", accepted.history, accepted.by)
        }
        EventBody::HealthWindowPassed(passed) => {
            format!("{} healthy for {} s in {} samples", passed.commit.short(), passed.window_seconds, passed.samples)
        }
        EventBody::HealthWindowFailed(failed) => format!("{}: {}", failed.commit.short(), failed.refusal.detail),
        EventBody::RollbackStarted(started) => format!("by run {}: {}", started.rollback_run, started.detail),
        EventBody::RolledBack(back) => format!("by run {} as {}", back.rollback_run, back.commit.short()),
        EventBody::RollbackFailed(failed) => format!("run {}: {}", failed.rollback_run, failed.refusal.detail),
        EventBody::RollbackAcknowledged(known) => by(known.by.as_str(), known.reason.as_deref()),
        EventBody::Unknown(unknown) => format!("an event of a later version (schema {})", unknown.schema),
    }
}

/// The walls that were missing around stages, each named once.
fn missing_walls(stages: &[StageReport]) -> String {
    let names: BTreeSet<&str> =
        stages.iter().flat_map(StageReport::missing_walls).map(|report| report.wall.as_str()).collect();
    if names.is_empty() {
        return String::new();
    }
    format!("; walls missing: {}", names.into_iter().collect::<Vec<_>>().join(", "))
}

fn by(name: &str, reason: Option<&str>) -> String {
    reason.map_or_else(|| format!("by {name}"), |reason| format!("by {name}: {reason}"))
}

/// One event as JSON: its stored content as it is, beside what the database added.
pub fn event_json(recorded: &RecordedEvent) -> Value {
    let content: Value = serde_json::from_str(&recorded.content).unwrap_or(Value::Null);
    json!({
        "position": recorded.position.to_string(),
        "sequence": recorded.sequence,
        "recorded_at": recorded.recorded_at,
        "written_by": recorded.written_by,
        "content_hash": recorded.link.content_hash,
        "prev_hash": recorded.link.prev_hash,
        "hash": recorded.link.hash,
        "content": content,
    })
}
