//! `reconcile`.

use anyhow::Result;
use selfext::{Disposition, Ending, MergeEnd, Outcome, PermitTerms, PullRequestLink, Reconciled, RunId};
use serde_json::{Value, json};

use super::Ledger;
use super::target::{Place, Site};
use crate::args::{Target, quoted};
use crate::exit::Exit;
use crate::interrupt::unless_interrupted;
use crate::show;

pub async fn run(ledger: &Ledger, target: &Target) -> Result<Exit> {
    let place = Place::find(target).await?;
    let work = async {
        let operations = ledger.open().await?;
        let before = operations.in_flight().await?;
        let site = place.open(ledger, &target.base).await?;
        // Opening settles what it can, and tells nobody.
        let mut settled = Vec::new();
        for permit in before.iter().filter(|permit| site.is_of(permit)) {
            if let Some(end) = operations.merge_end(permit).await? {
                settled.push(Reconciled::Settled(outcome(permit, end)));
            }
        }
        let progress = site.progress();
        let all = site.selfext().reconcile(&progress).await;
        progress.finish(all.is_ok());
        let mut all = all?;
        settled.retain(|settled| !all.iter().any(|other| run_of(other) == run_of(settled)));
        settled.append(&mut all);
        let rows: Vec<Row> = settled.into_iter().map(|one| Row::of(one, &site, target)).collect();
        site.end().await;
        let exit = rows.iter().map(|row| row.exit).max_by_key(|exit| *exit as u8).unwrap_or(Exit::Done);
        if ledger.json {
            let runs: Vec<Value> = rows.into_iter().map(|row| row.json).collect();
            show::print_json(&json!({"outcome": "reconciled", "runs": runs, "exit_code": exit as u8}));
        } else if rows.is_empty() {
            show::print("nothing to reconcile: there are no open runs");
        } else {
            for row in &rows {
                show::print(&row.words);
            }
        }
        Ok(exit)
    };
    unless_interrupted("what was done is in the ledger; reconcile again", work).await
}

/// How a run stands whose merge ended.
fn outcome(permit: &PermitTerms, end: MergeEnd) -> Outcome {
    let ending = match end {
        MergeEnd::Landed { commit, tree_matches, checked_in_queue } => {
            Ending::Promoted { commit, tree_matches, checked_in_queue, already: false }
        }
        MergeEnd::NotMerged(refusal) if refusal.disposition() == Disposition::Ends => Ending::Failed(refusal),
        MergeEnd::NotMerged(refusal) => Ending::Blocked(refusal),
        MergeEnd::Abandoned { .. } => Ending::Abandoned,
    };
    let link = PullRequestLink { number: permit.pull_request, url: None };
    Outcome { run: permit.run.clone(), pull_request: Some(link), ending }
}

const fn run_of(reconciled: &Reconciled) -> &RunId {
    match reconciled {
        Reconciled::Settled(outcome) => &outcome.run,
        Reconciled::Waiting(run) | Reconciled::Failed { run, .. } => run,
    }
}

/// What became of one open run.
struct Row {
    exit: Exit,
    json: Value,
    words: String,
}

impl Row {
    fn of(reconciled: Reconciled, site: &Site, target: &Target) -> Self {
        match reconciled {
            Reconciled::Settled(outcome) => {
                site.follow(&outcome);
                // That a run did not land is settled too; only a doubt is left to do.
                let exit = if Exit::of(&outcome) == Exit::InDoubt { Exit::InDoubt } else { Exit::Done };
                Self { exit, json: show::outcome_json(&outcome), words: show::outcome_lines(&outcome, target) }
            }
            Reconciled::Waiting(run) => Self {
                exit: Exit::Done,
                json: json!({"run": run, "outcome": "waiting"}),
                words: format!(
                    "run {} has no merge under way; promote its change again, or end it: `selfext abandon {} --by NAME {}`",
                    show::clean(run.as_str()),
                    show::clean(&quoted(run.as_str())),
                    target.words()
                ),
            },
            Reconciled::Failed { run, error } => {
                let text = show::error_lines(&anyhow::Error::from(error));
                Self {
                    exit: Exit::Failed,
                    words: format!("run {}: {text}", show::clean(run.as_str())),
                    json: json!({"run": run, "outcome": "error", "error": text}),
                }
            }
        }
    }
}
