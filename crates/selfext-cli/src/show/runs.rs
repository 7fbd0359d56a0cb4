//! Runs in lists.

use selfext::{EventBody, Phase, Reason, RecordedEvent, RunEntry};
use serde_json::{Value, json};

use super::{clean, clean_line, event_json, headline, place, print, print_json};
use crate::args::quoted;
use crate::exit::Exit;

/// Prints a page of runs, and where the next one begins if there may be one.
pub fn print_runs(runs: &[RunEntry], limit: u32, json: bool) {
    let full = usize::try_from(limit).is_ok_and(|limit| runs.len() >= limit);
    let next = runs.last().filter(|_| full).map(|last| last.cursor.to_string());
    if json {
        let runs: Vec<Value> = runs.iter().map(run_json).collect();
        print_json(&json!({"outcome": "runs", "runs": runs, "next": next, "exit_code": Exit::Done as u8}));
        return;
    }
    if runs.is_empty() {
        print("no such runs");
    }
    print_lines(runs);
    if let Some(next) = next {
        print(&format!("for more: --before {next}"));
    }
}

/// Prints runs, a line each, with the command that frees it where it is stuck.
pub fn print_lines<'a>(runs: impl IntoIterator<Item = &'a RunEntry>) {
    for run in runs {
        let event = &run.last.event;
        let time = run.last.recorded_at.format("%Y-%m-%d %H:%M:%SZ");
        let phase = phase_word(run);
        let request = event.pull_request.map(selfext::PullRequestNumber::get);
        let (stream, headline) = (clean(event.stream.as_str()), clean_line(&headline(&event.body, request)));
        print(&format!("{time}  {stream:<36}  {phase:<13}  {headline}"));
        if let Some(next) = next_command(&run.last) {
            print(&format!("{:<22}next: {}", "", clean(&next)));
        }
    }
}

/// A run as JSON.
pub fn run_json(run: &RunEntry) -> Value {
    json!({
        "run": run.last.event.stream.as_str(),
        "phase": phase_word(run),
        "cursor": run.cursor.to_string(),
        "last_event": event_json(&run.last),
    })
}

fn phase_word(run: &RunEntry) -> &'static str {
    run.phase().map_or("unknown", Phase::as_str)
}

/// The command that frees a run which is stuck.
fn next_command(last: &RecordedEvent) -> Option<String> {
    let place =
        last.event.subject.as_ref().map(|subject| place(&subject.repository, &subject.base)).unwrap_or_default();
    let run = quoted(last.event.stream.as_str());
    match (Phase::of_last(&last.event.body)?, &last.event.body) {
        (_, EventBody::PromotionBlocked(blocked)) if blocked.refusal.reason == Reason::ProtectedPath => Some(format!(
            "`selfext allow {run} --by NAME` lets it touch them, then promote the same change again; or end it: `selfext abandon {run} \
             --by NAME {place}`"
        )),
        (_, EventBody::PromotionBlocked(blocked)) if blocked.refusal.reason == Reason::RolledBackBefore => {
            Some(format!(
                "`selfext allow {run} --by NAME` lets it land again, then promote the same change again; or end it: `selfext abandon \
             {run} --by NAME {place}`"
            ))
        }
        // Nothing is wrong with the change: it waits for another one.
        (_, EventBody::PromotionBlocked(blocked)) if waits_for_another(blocked.refusal.reason) => Some(format!(
            "the run that it waits for is listed by `selfext status`; then promote the same change again, or end it: `selfext abandon \
             {run} --by NAME {place}`"
        )),
        (Phase::Blocked, _) => {
            Some(format!("promote the same change again, or end it: `selfext abandon {run} --by NAME {place}`"))
        }
        (Phase::Proposed | Phase::Tested, _) => {
            Some("if nothing is working on it, promote the same change again".to_owned())
        }
        (Phase::Merging | Phase::Fencing, _) => {
            Some(format!("if nothing is working on it, settle it: `selfext reconcile {place}`"))
        }
        _ => super::health::frees(last),
    }
}

const fn waits_for_another(reason: Reason) -> bool {
    matches!(reason, Reason::HealthWindowOpen | Reason::RollbackInProgress | Reason::RollbackUnacknowledged)
}
