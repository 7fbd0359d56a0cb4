//! The status page.

use selfext::{ControlError, ControlState, EventBody, PermitTerms, Phase, Reason, RecordedEvent, Status};
use serde_json::{Value, json};

use super::{accepting, clean, clean_line, event_json, headline, history_json, place, print, print_json};
use crate::args::quoted;
use crate::exit::Exit;

/// Prints whether promotion is paused, what may merge, and the latest runs.
pub fn print_status(status: &Status, json: bool) {
    if json {
        print_json(&json!({
            "outcome": "status",
            "control": control_json(status),
            "in_flight": status.in_flight.iter().map(permit_json).collect::<Vec<_>>(),
            "runs": status.runs.iter().map(run_json).collect::<Vec<_>>(),
            "exit_code": Exit::Done as u8,
        }));
        return;
    }
    print(&control_line(status));
    for permit in &status.in_flight {
        print(&format!(
            "run {} may merge pull request {} at any moment",
            clean(permit.run.as_str()),
            permit.pull_request
        ));
    }
    if status.runs.is_empty() {
        print("no runs yet");
    }
    for run in &status.runs {
        let time = run.recorded_at.format("%Y-%m-%d %H:%M:%SZ");
        let phase = phase_word(run);
        let request = run.event.pull_request.map(selfext::PullRequestNumber::get);
        let (stream, headline) = (clean(run.event.stream.as_str()), clean_line(&headline(&run.event.body, request)));
        print(&format!("{time}  {stream:<36}  {phase:<13}  {headline}"));
        if let Some(next) = next_command(run) {
            print(&format!("{:<22}next: {}", "", clean(&next)));
        }
    }
}

fn control_line(status: &Status) -> String {
    match &status.control {
        Ok(ControlState::Running) => "promotion runs".to_owned(),
        Ok(ControlState::Paused(pause)) => {
            let rollbacks = if pause.allow_rollbacks { "; rollbacks may merge" } else { "" };
            let (by, since) = (&pause.by, pause.since.format("%Y-%m-%d %H:%M:%SZ"));
            clean(&format!(
                "promotion is paused by {by} since {since}: {}{rollbacks}. `selfext resume --by NAME` frees it.",
                pause.reason
            ))
        }
        Err(error @ ControlError::HistoryChanged(change)) => format!(
            "promotion is blocked: {error}. The database may have lost its last commits, a pause or merges among them: {}.",
            accepting(change)
        ),
        Err(error @ (ControlError::Missing | ControlError::Malformed(_))) => format!(
            "promotion is blocked: {error}. `selfext pause --reason TEXT --by NAME` writes the control anew, `selfext resume` then frees \
             promotion."
        ),
        Err(error) => format!("promotion is blocked: the control could not be read: {error}"),
    }
}

fn control_json(status: &Status) -> Value {
    match &status.control {
        Ok(control) => json!(control),
        Err(error @ ControlError::HistoryChanged(change)) => {
            json!({"state": "history-changed", "history": history_json(change), "error": error.to_string()})
        }
        Err(error) => json!({"state": "unreadable", "error": error.to_string()}),
    }
}

/// An open permit as JSON.
pub fn permit_json(permit: &PermitTerms) -> Value {
    json!({
        "run": permit.run,
        "repository": permit.repository,
        "base": permit.base,
        "pull_request": permit.pull_request,
        "head": permit.head,
        "holder": permit.holder,
        "deadline": permit.deadline,
    })
}

fn run_json(last: &RecordedEvent) -> Value {
    json!({"run": last.event.stream.as_str(), "phase": phase_word(last), "last_event": event_json(last)})
}

fn phase_word(last: &RecordedEvent) -> &'static str {
    Phase::of_last(&last.event.body).map_or("unknown", Phase::as_str)
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
        (Phase::Blocked, _) => {
            Some(format!("promote the same change again, or end it: `selfext abandon {run} --by NAME {place}`"))
        }
        (Phase::Proposed | Phase::Tested, _) => {
            Some("if nothing is working on it, promote the same change again".to_owned())
        }
        (Phase::Merging | Phase::Fencing, _) => {
            Some(format!("if nothing is working on it, settle it: `selfext reconcile {place}`"))
        }
        _ => None,
    }
}
