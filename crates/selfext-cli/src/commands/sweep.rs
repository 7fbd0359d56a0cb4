//! `sweep`.

use anyhow::Result;
use selfext::{OperatorName, Retired, Sweep};
use serde_json::{Value, json};

use super::Ledger;
use super::target::Place;
use crate::args::Target;
use crate::exit::Exit;
use crate::interrupt::unless_interrupted;
use crate::show;

pub async fn run(ledger: &Ledger, by: &OperatorName, target: &Target) -> Result<Exit> {
    let place = Place::find(target).await?;
    let work = async {
        let site = place.open(ledger, &target.base).await?;
        let progress = site.progress();
        let swept = site.selfext().sweep(by, &progress).await;
        progress.finish(swept.is_ok());
        site.end().await;
        let swept = swept?;
        let exit = if swept.is_complete() { Exit::Done } else { Exit::InDoubt };
        if ledger.json {
            show::print_json(&sweep_json(&swept, exit));
        } else {
            show::print(&lines(&swept, target).join("\n"));
        }
        Ok(exit)
    };
    unless_interrupted("promotion may be paused, and some branches fenced; sweep again", work).await
}

fn lines(swept: &Sweep, target: &Target) -> Vec<String> {
    let mut lines = Vec::new();
    for (run, ended) in &swept.merges {
        match ended {
            Ok(outcome) => lines.push(show::outcome_lines(outcome, target)),
            Err(error) => lines.push(format!("run {} was not fenced off: {error}", show::clean(run.as_str()))),
        }
    }
    for (branch, retired) in &swept.branches {
        let branch = show::clean(branch.as_str());
        lines.push(match retired {
            Ok(Retired::Gone) => format!("{branch}: fenced off and deleted"),
            Ok(Retired::KeptAtFence) => {
                format!("{branch}: fenced off; a closed pull request keeps it from being deleted")
            }
            Err(error) => format!("{branch}: NOT FENCED OFF: {}", show::clean(&error.to_string())),
        });
    }
    lines.push(if swept.is_complete() {
        "paused; nothing that selfext published in this repository can merge any more".to_owned()
    } else {
        "paused; something may still merge, so sweep again".to_owned()
    });
    if let Some(change) = &swept.pause.history {
        lines.push(show::accepting(change));
    }
    lines
}

fn sweep_json(swept: &Sweep, exit: Exit) -> Value {
    let merges = swept.merges.iter().map(|(run, ended)| match ended {
        Ok(outcome) => show::outcome_json(outcome),
        Err(error) => json!({"run": run, "outcome": "error", "error": error.to_string()}),
    });
    let branches = swept.branches.iter().map(|(branch, retired)| {
        let (outcome, error) = match retired {
            Ok(Retired::Gone) => ("deleted", None),
            Ok(Retired::KeptAtFence) => ("kept-at-fence", None),
            Err(error) => ("error", Some(error.to_string())),
        };
        json!({"branch": branch, "outcome": outcome, "error": error})
    });
    json!({
        "outcome": "swept",
        "complete": swept.is_complete(),
        "merges": merges.collect::<Vec<_>>(),
        "branches": branches.collect::<Vec<_>>(),
        "history": swept.pause.history.as_ref().map(show::history_json),
        "event": show::event_json(&swept.pause.event),
        "exit_code": exit as u8,
    })
}
