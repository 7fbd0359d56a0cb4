//! `pause` and `resume`.

use anyhow::Result;
use selfext::{OperatorName, PermitTerms};
use serde_json::json;

use super::Ledger;
use crate::exit::Exit;
use crate::show;

pub async fn pause(ledger: &Ledger, reason: &str, by: &OperatorName, allow_rollbacks: bool) -> Result<Exit> {
    let answer = ledger.open().await?.pause(by, reason, allow_rollbacks).await?;
    if ledger.json {
        let in_flight: Vec<_> = answer.in_flight.iter().map(show::permit_json).collect();
        show::print_json(&json!({
            "outcome": "paused",
            "paused": true,
            "allow_rollbacks": allow_rollbacks,
            "in_flight": in_flight,
            "event": show::event_json(&answer.event),
            "exit_code": Exit::Done as u8,
        }));
        return Ok(Exit::Done);
    }
    for permit in &answer.in_flight {
        show::print(&format!(
            "run {} may still merge pull request {}; `selfext reconcile` settles it",
            show::clean(permit.run.as_str()),
            permit.pull_request
        ));
    }
    show::print(match (answer.in_flight.is_empty(), allow_rollbacks) {
        (true, false) => "paused; nothing can merge until resume",
        (true, true) => "paused; nothing but rollbacks can merge until resume",
        (false, false) => "paused; nothing else can merge until resume",
        (false, true) => "paused; nothing else but rollbacks can merge until resume",
    });
    Ok(Exit::Done)
}

pub async fn resume(ledger: &Ledger, by: &OperatorName, reason: Option<&str>) -> Result<Exit> {
    let answer = ledger.open().await?.resume(by, reason).await?;
    if ledger.json {
        let in_flight: Vec<_> = answer.in_flight.iter().map(show::permit_json).collect();
        show::print_json(&json!({
            "outcome": "resumed",
            "paused": false,
            "in_flight": in_flight,
            "event": show::event_json(&answer.event),
            "exit_code": Exit::Done as u8,
        }));
    } else {
        show::print("resumed; promotion runs");
        answer.in_flight.iter().for_each(print_in_doubt);
    }
    Ok(Exit::Done)
}

fn print_in_doubt(permit: &PermitTerms) {
    show::print(&format!(
        "run {} was left with an open merge of pull request {}; `selfext reconcile` settles it",
        show::clean(permit.run.as_str()),
        permit.pull_request
    ));
}
