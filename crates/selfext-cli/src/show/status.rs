//! The status page.

use selfext::{ControlError, ControlState, Overview, PermitTerms, RunEntry, Wait};
use serde_json::{Value, json};

use super::health::{baseline_json, print_health, watched_json};
use super::runs::{print_lines, run_json};
use super::{accepting, clean, clean_line, history_json, print, print_json, time};
use crate::exit::Exit;

/// Prints whether promotion is paused, what may merge, what waits, what is open, and the latest runs.
pub fn print_status(status: &Overview, json: bool) {
    if json {
        print_json(&json!({
            "outcome": "status",
            "control": control_json(status),
            "in_flight": status.in_flight.iter().map(permit_json).collect::<Vec<_>>(),
            "watched": status.watched.iter().map(watched_json).collect::<Vec<_>>(),
            "baselines": status.baselines.iter().map(baseline_json).collect::<Vec<_>>(),
            "waits": status.waits.iter().map(wait_json).collect::<Vec<_>>(),
            "open_runs": status.open_runs,
            "open": status.open.iter().map(run_json).collect::<Vec<_>>(),
            "runs": status.latest.iter().map(run_json).collect::<Vec<_>>(),
            "exit_code": Exit::Done as u8,
        }));
        return;
    }
    print(&control_line(status));
    for permit in &status.in_flight {
        print(&format!(
            "run {} may merge pull request {} at any moment{}",
            clean(permit.run.as_str()),
            permit.pull_request,
            if permit.way.is_queue() { ": it stands in the merge queue, or is about to" } else { "" }
        ));
    }
    print_health(status);
    for wait in &status.waits {
        print(&wait_line(wait));
    }
    if status.latest.is_empty() {
        print("no runs yet");
    }
    print_lines(&status.latest);
    // The latest runs show most of what is open; what is older has to be seen too.
    let older: Vec<&RunEntry> = status.open.iter().filter(|run| !status.latest.contains(run)).collect();
    if !older.is_empty() {
        print("older, and still open:");
        print_lines(older);
    }
    let shown = u64::try_from(status.open.len()).unwrap_or(u64::MAX);
    if let Some(more) = status.open_runs.checked_sub(shown).filter(|more| *more > 0) {
        print(&format!("and {more} more: `selfext runs --open` lists them"));
    }
}

fn control_line(status: &Overview) -> String {
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

fn wait_line(wait: &Wait) -> String {
    let (run, what, holder) = (clean_line(wait.run.as_str()), clean_line(&wait.what), clean_line(&wait.holder));
    format!("run {run} waits for {what}, since {}, until {} at most, in {holder}", time(wait.since), time(wait.until))
}

fn wait_json(wait: &Wait) -> Value {
    json!({
        "run": wait.run,
        "holder": wait.holder,
        "what": wait.what,
        "since": wait.since,
        "until": wait.until,
    })
}

fn control_json(status: &Overview) -> Value {
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
        "way": permit.way,
        "holder": permit.holder,
        "deadline": permit.deadline,
    })
}
