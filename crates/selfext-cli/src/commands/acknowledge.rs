//! `acknowledge`.

use anyhow::Result;
use selfext::{OperatorName, RunId};
use serde_json::json;

use super::Ledger;
use crate::exit::Exit;
use crate::show;

pub async fn run(ledger: &Ledger, run: &RunId, by: &OperatorName, reason: Option<&str>) -> Result<Exit> {
    let event = ledger.open().await?.acknowledge(run, by, reason).await?;
    if ledger.json {
        show::print_json(&json!({
            "outcome": "acknowledged",
            "run": run,
            // Whether it was acknowledged before this command.
            "already": event.is_none(),
            "event": event.as_ref().map(show::event_json),
            "exit_code": Exit::Done as u8,
        }));
    } else {
        let already = if event.is_some() { "" } else { "already " };
        show::print(&format!(
            "{already}acknowledged; run {} does not hold promotion back any more\nwhat it changed is on the base branch, as far as nobody \
             took it back by hand",
            show::clean(run.as_str())
        ));
    }
    Ok(Exit::Done)
}
