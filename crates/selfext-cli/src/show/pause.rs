//! What a pause comes to.

use selfext::{ControlError, EventBody, History, HistoryChange, MergeEnd, PauseAnswer, PermitTerms, Refusal, RunId};
use serde_json::{Value, json};

use super::outcome::BY_THE_QUEUE;
use super::{clean, event_json, permit_json, place, print, print_json};
use crate::exit::Exit;

/// A pause, how it stands, and what was done with the merges that it found under way.
pub struct PauseReport {
    pub answer: PauseAnswer,
    /// Why it could not be read how it stands now. The answer is of an earlier moment then.
    pub unread: Option<ControlError>,
    pub ended: Vec<(PermitTerms, MergeEnd)>,
    pub obstacles: Vec<(RunId, String)>,
}

impl PauseReport {
    /// Prints it, and answers how the command ends.
    pub fn print(&self, as_json: bool) -> Exit {
        let exit = if self.nothing_can_merge() { Exit::Done } else { Exit::InDoubt };
        if as_json {
            print_json(&self.json(exit));
        } else {
            print(&self.lines().join("\n"));
        }
        exit
    }

    const fn nothing_can_merge(&self) -> bool {
        self.unread.is_none() && self.answer.nothing_can_merge()
    }

    /// Whether it was made with `--allow-rollbacks`.
    fn allows_rollbacks(&self) -> bool {
        matches!(&self.answer.event.event.body, EventBody::PromotionPauseChanged(changed) if changed.allow_rollbacks)
    }

    fn lines(&self) -> Vec<String> {
        if self.unread.is_none() && !self.answer.still_paused {
            return vec!["promotion was resumed meanwhile, so merges may happen; pause again to stop them".to_owned()];
        }
        let mut lines = Vec::new();
        for permit in &self.answer.in_flight {
            lines.push(may_merge(permit));
            if let Some(obstacle) = self.obstacle(&permit.run) {
                lines.push(format!("  it was not fenced off: {}", clean(obstacle)));
            }
            lines.push(advice(permit));
        }
        if let Some(change) = &self.answer.history {
            lines.extend(history_lines(change));
        }
        if let Some(error) = &self.unread {
            lines.push(format!(
                "paused; but whether it still is, and what may merge, could not be read: {}; `selfext status` asks again",
                clean(&error.to_string())
            ));
        }
        if self.nothing_can_merge() {
            let rollbacks = if self.allows_rollbacks() { " but rollbacks" } else { "" };
            lines.push(format!("paused; nothing{rollbacks} can merge until resume"));
        }
        lines
    }

    fn json(&self, exit: Exit) -> Value {
        let in_flight = self.answer.in_flight.iter().map(|permit| {
            let mut value = permit_json(permit);
            if let Some(obstacle) = self.obstacle(&permit.run) {
                value["not_fenced"] = json!(obstacle);
            }
            value
        });
        // What could not be read is to be taken for "paused".
        let paused = self.unread.is_some() || self.answer.still_paused;
        let mut value = json!({
            "outcome": if paused { "paused" } else { "resumed" },
            "paused": paused,
            "nothing_can_merge": self.nothing_can_merge(),
            "allow_rollbacks": self.allows_rollbacks(),
            "in_flight": in_flight.collect::<Vec<_>>(),
            "ended": self.ended.iter().map(|(permit, end)| end_json(permit, end)).collect::<Vec<_>>(),
            "history": self.answer.history.as_ref().map(history_json),
            "event": event_json(&self.answer.event),
            "exit_code": exit as u8,
        });
        if let Some(error) = &self.unread {
            value["control_error"] = json!(error.to_string());
        }
        value
    }

    /// What last kept a run from being fenced.
    fn obstacle(&self, run: &RunId) -> Option<&str> {
        self.obstacles.iter().rev().find(|(of, _)| of == run).map(|(_, words)| words.as_str())
    }
}

/// That a merge may still happen although promotion is paused.
pub fn may_merge(permit: &PermitTerms) -> String {
    format!("paused; run {} may still merge pull request {}", clean(permit.run.as_str()), permit.pull_request)
}

/// What to do about it.
fn advice(permit: &PermitTerms) -> String {
    let place = place(&permit.repository, &permit.base);
    format!(
        "  pause again with `--wait` to follow it to its end, or with `--fence {place}` to stop it; if a crash left it, \
         `selfext reconcile {place}` settles it"
    )
}

/// That a merge's holder may not act on its permit any more, and what settles it.
pub fn overdue(permit: &PermitTerms) -> String {
    let place = place(&permit.repository, &permit.base);
    format!(
        "run {}: the time of its permit for pull request {} was over at {}, and nobody has settled it; pause again with `--fence \
         {place}`, or run `selfext reconcile {place}`",
        clean(permit.run.as_str()),
        permit.pull_request,
        permit.deadline.format("%Y-%m-%d %H:%M:%SZ"),
    )
}

/// How a merge ended that was under way when promotion was paused.
pub fn merge_end(permit: &PermitTerms, end: &MergeEnd) -> String {
    let run = clean(permit.run.as_str());
    match end {
        MergeEnd::Landed { commit, checked_in_queue: true, .. } => {
            format!("run {run} landed as {commit}, {BY_THE_QUEUE}")
        }
        MergeEnd::Landed { commit, tree_matches: true, .. } => format!("run {run} landed as {commit}"),
        MergeEnd::Landed { commit, .. } => {
            format!("run {run} landed as {commit}, BUT ITS TREE IS NOT THE TESTED ONE, so promotion has paused itself")
        }
        MergeEnd::NotMerged(Refusal { reason, detail, .. }) => {
            format!("run {run} did not merge: {reason}\n  {}", clean(detail))
        }
        MergeEnd::Abandoned { by } => format!("run {run} did not merge: abandoned by {}", clean(by.as_str())),
    }
}

fn end_json(permit: &PermitTerms, end: &MergeEnd) -> Value {
    let mut value = match end {
        MergeEnd::Landed { commit, tree_matches, checked_in_queue } => {
            json!({"outcome": "landed", "commit": commit, "tree_matches": tree_matches, "checked_in_queue": checked_in_queue})
        }
        MergeEnd::NotMerged(refusal) => {
            json!({"outcome": "not-merged", "reason": refusal.reason, "detail": refusal.detail})
        }
        MergeEnd::Abandoned { by } => json!({"outcome": "not-merged", "reason": "abandoned", "by": by}),
    };
    value["run"] = json!(permit.run);
    value["pull_request"] = json!(permit.pull_request);
    value
}

fn history_lines(change: &HistoryChange) -> [String; 2] {
    [
        format!("paused; but {change}: merges of the lost part may still happen, and cannot be listed"),
        format!("  {}", accepting(change)),
    ]
}

/// What lets promotion go on under a changed history.
pub fn accepting(change: &HistoryChange) -> String {
    let history = change.found.as_ref().map_or("HISTORY", History::as_str);
    format!(
        "`selfext sweep --by NAME --github OWNER/NAME` makes sure that nothing of the lost part can merge, for each repository; then \
         `selfext resume --by NAME --accept-history {history}` accepts the new history"
    )
}

/// Two histories of a database as JSON.
pub fn history_json(change: &HistoryChange) -> Value {
    json!({"accepted": change.accepted, "found": change.found})
}
