//! `resume`.

use anyhow::Result;
use selfext::{ControlError, History, OperatorName, PermitTerms};
use serde_json::json;

use super::Ledger;
use crate::exit::Exit;
use crate::show;

pub async fn run(
    ledger: &Ledger,
    by: &OperatorName,
    reason: Option<&str>,
    accept_history: Option<History>,
) -> Result<Exit> {
    let operations = ledger.open().await?;
    let answer = match accept_history {
        Some(history) => operations.accept_history(by, reason, history).await,
        None => operations.resume(by, reason).await,
    };
    let answer = answer.map_err(|error| match &error {
        ControlError::HistoryChanged(change) => {
            let advice = show::accepting(change);
            anyhow::Error::from(error).context(format!("nothing was resumed; {advice}"))
        }
        _ => error.into(),
    })?;
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
        "run {} was left with an open merge of pull request {}; `selfext reconcile {}` settles it",
        show::clean(permit.run.as_str()),
        permit.pull_request,
        show::place(&permit.repository, &permit.base)
    ));
}
