//! How a run ended, for people and programs.

use std::fmt::Write as _;

use selfext::{Ending, Outcome, Reason, Refusal, StageReport};
use serde_json::{Value, json};

use super::{clean, print, print_json};
use crate::args::{Target, quoted};
use crate::exit::Exit;

/// How many lines of a failing stage's output are shown.
const LINES: usize = 20;

/// Prints an outcome: JSON, or words for people.
pub fn print_outcome(outcome: &Outcome, exit: Exit, target: &Target, as_json: bool) {
    if as_json {
        let mut value = outcome_json(outcome);
        value["exit_code"] = json!(exit as u8);
        print_json(&value);
    } else {
        print(&outcome_lines(outcome, target));
    }
}

/// Of a change that the merge queue put on top of others, as a part of a sentence.
pub const BY_THE_QUEUE: &str = "on top of what was before it in the merge queue: another tree than the one that was tested, with all that is required green on it";

/// An outcome as JSON.
pub fn outcome_json(outcome: &Outcome) -> Value {
    serde_json::to_value(outcome).unwrap_or_else(|error| json!({"outcome": "error", "error": error.to_string()}))
}

/// How a run ended, and what to do next.
pub fn outcome_lines(outcome: &Outcome, target: &Target) -> String {
    let mut text = match &outcome.ending {
        Ending::Promoted { commit, checked_in_queue: true, .. } => {
            format!("promoted: {commit}, {BY_THE_QUEUE}")
        }
        Ending::Promoted { commit, tree_matches: true, already, .. } => {
            let already = if *already { "was already " } else { "" };
            format!("{already}promoted: {commit}")
        }
        Ending::Promoted { commit, tree_matches: false, .. } => {
            format!("promoted: {commit}, BUT ITS TREE IS NOT THE TESTED ONE, so promotion has paused itself")
        }
        Ending::Blocked(refusal) => format!("blocked: {}\n{}", refusal.reason, clean(&refusal.detail)),
        Ending::VerificationFailed { refusal, stages } => {
            format!("verification failed: {}{}", clean(&refusal.detail), failing(stages))
        }
        Ending::Failed(refusal) => format!("failed: {}\n{}", refusal.reason, clean(&refusal.detail)),
        Ending::RolledBack { commit } => format!("landed, and was taken back by {commit}"),
        Ending::Abandoned => "abandoned".to_owned(),
        Ending::InDoubt { detail } => format!("in doubt: {}", clean(detail)),
    };
    text.push_str(&run_line(outcome, target));
    if let Some(next) = next(outcome, target) {
        text.push_str("\nnext: ");
        text.push_str(&next);
    }
    text
}

fn run_line(outcome: &Outcome, target: &Target) -> String {
    let mut text = format!("\nrun {}", clean(outcome.run.as_str()));
    if let Some(link) = &outcome.pull_request {
        // Writing to a string cannot fail.
        let _ = write!(text, ", pull request {}", link.number);
        // The address of a local repository's pull request is gone with the command.
        if let Some(url) = link.url.as_ref().filter(|_| target.local.is_none()) {
            let _ = write!(text, " ({})", clean(url));
        }
    }
    text
}

/// What to do next, as commands where there are any.
fn next(outcome: &Outcome, target: &Target) -> Option<String> {
    let target = target.words();
    let abandon = || format!("selfext abandon {} --by NAME {target}", quoted(outcome.run.as_str()));
    match &outcome.ending {
        Ending::Promoted { tree_matches: true, .. }
        | Ending::Promoted { checked_in_queue: true, .. }
        | Ending::Abandoned => None,
        Ending::RolledBack { .. } => Some(
            "promoting the same content without this run's id starts a new run, which waits for `selfext allow RUN --by NAME`".to_owned(),
        ),
        Ending::Promoted { tree_matches: false, .. } => {
            Some("look at the commit, then `selfext resume --by NAME`".to_owned())
        }
        Ending::Blocked(refusal) if matches!(refusal.reason, Reason::ProtectedPath | Reason::RolledBackBefore) => Some(format!(
            "`selfext allow {} --by NAME`, then promote the same change again; or end it: `{}`",
            quoted(outcome.run.as_str()),
            abandon()
        )),
        Ending::Blocked(refusal) => Some(format!("{}; or end it: `{}`", mend(refusal), abandon())),
        Ending::VerificationFailed { .. } => {
            Some("the run is over; mend the change and promote it, which starts a new run".to_owned())
        }
        Ending::Failed(refusal) if refusal.reason == Reason::NothingToChange => None,
        Ending::Failed(_) => Some("the run is over; promoting a change starts a new one".to_owned()),
        Ending::InDoubt { .. } => Some(format!("`selfext reconcile {target}`")),
    }
}

/// What lets a blocked run go on.
const fn mend(refusal: &Refusal) -> &'static str {
    match refusal.reason {
        Reason::PromotionPaused => "`selfext resume --by NAME`, then promote the same change again",
        Reason::ControlMissing | Reason::ControlMalformed => {
            "`selfext pause --reason TEXT --by NAME`, which writes the control anew, and `selfext resume --by NAME`, then promote the \
             same change again"
        }
        Reason::HealthWindowOpen | Reason::RollbackInProgress => {
            "`selfext status` shows what it waits for, and `selfext watch` decides that; then promote the same change again"
        }
        Reason::RollbackUnacknowledged => {
            "`selfext status` names the run to `selfext acknowledge`; then promote the same change again"
        }
        Reason::HistoryChanged => {
            "`selfext sweep --by NAME` for each repository, then `selfext resume --by NAME --accept-history HISTORY`, then promote the \
             same change again"
        }
        // Nothing is wrong with the change or its pull request: time mends it.
        Reason::ControlUnreadable
        | Reason::VerificationUnavailable
        | Reason::BaseMoved
        | Reason::ChecksPending
        | Reason::MergeNotYet
        | Reason::MergeInDoubt
        | Reason::MergeInFlight
        | Reason::ForgeUnavailable
        | Reason::RateLimited => "promote the same change again later",
        _ => "mend that, then promote the same change again",
    }
}

/// The last lines of the output of the stage that did not pass.
fn failing(stages: &[StageReport]) -> String {
    let mut text = String::new();
    if let Some(stage) = stages.iter().find(|stage| !stage.result.passed()) {
        let category = stage.category.map(|category| format!(" [{category}]")).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  {}{category}: {}", clean(&stage.name), clean(&stage.command.join(" ")));
        if let Some(pattern) = &stage.must_match {
            let _ = write!(text, "\n  its output must match: {}", clean(pattern));
        }
        for wall in stage.missing_walls() {
            let _ = write!(text, "\n  wall {}", clean(&wall.to_string()));
        }
        let lines: Vec<&str> = stage.output.as_str().lines().collect();
        for line in &lines[lines.len().saturating_sub(LINES)..] {
            text.push_str("\n  | ");
            text.push_str(&clean(line));
        }
    }
    text
}
