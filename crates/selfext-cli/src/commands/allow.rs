//! `allow`.

use anyhow::Result;
use selfext::{Allowable, OperatorName, RunId};
use serde_json::{Value, json};

use super::Ledger;
use crate::args::quoted;
use crate::exit::Exit;
use crate::show;

/// Allows the run, or without a name shows what there is to allow.
pub async fn run(ledger: &Ledger, run: &RunId, by: Option<&OperatorName>, reason: Option<&str>) -> Result<Exit> {
    let operations = ledger.open().await?;
    let shown = operations.allowable(run).await?;
    let Some(by) = by else {
        if ledger.json {
            show::print_json(&json_of(&shown, "allowable", None));
        } else {
            print_paths(&shown, if shown.is_already_allowed() { "is allowed already" } else { "is blocked" });
            if !shown.is_already_allowed() {
                show::print(&format!("next: `selfext allow {} --by NAME`", quoted(run.as_str())));
            }
        }
        return Ok(Exit::Done);
    };
    if !ledger.json {
        print_paths(&shown, "is blocked");
    }
    let allowance = operations.allow(&shown, by, reason).await?;
    if ledger.json {
        let event = allowance.event.as_ref().map(show::event_json);
        show::print_json(&json_of(&allowance.allowed, "allowed", event.as_ref()));
    } else {
        let already = if allowance.event.is_some() { "" } else { "already " };
        show::print(&format!(
            "{already}allowed, for this run and this content alone\nnext: promote the same change again, which goes on with this run"
        ));
    }
    Ok(Exit::Done)
}

fn print_paths(shown: &Allowable, stands: &str) {
    let mut text = format!("run {} {stands}", show::clean(shown.run().as_str()));
    if let Some(before) = shown.again_after() {
        text.push_str("; the same content landed before, and was rolled back, in run ");
        text.push_str(&show::clean(before.as_str()));
    }
    if !shown.paths().is_empty() {
        text.push_str("; it touches protected paths:");
    }
    for path in shown.paths() {
        text.push_str("\n  ");
        text.push_str(&show::clean(path.as_str()));
    }
    show::print(&format!("{text}\nfingerprint {}", shown.fingerprint()));
}

fn json_of(shown: &Allowable, outcome: &str, event: Option<&Value>) -> Value {
    json!({
        "outcome": outcome,
        "run": shown.run(),
        "fingerprint": shown.fingerprint(),
        "paths": shown.paths(),
        "again_after": shown.again_after(),
        // Whether it was allowed before this command.
        "already": shown.is_already_allowed(),
        "event": event,
        "exit_code": Exit::Done as u8,
    })
}
