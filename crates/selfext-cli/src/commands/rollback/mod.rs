//! `rollback`.

mod diff;
mod plan;

use std::fmt::Write as _;

use anyhow::Result;
use selfext::{RollbackEnding, RollbackOutcome};
use serde_json::json;

use super::Ledger;
use super::target::Place;
use crate::args::{Rollback, Target, quoted};
use crate::exit::Exit;
use crate::interrupt::unless_interrupted;
use crate::show;

pub async fn run(ledger: &Ledger, args: &Rollback) -> Result<Exit> {
    let place = Place::find(&args.target).await?;
    let work = async {
        let site = place.open(ledger, &args.target.base).await?;
        let exit = match &args.reason {
            Some(reason) => {
                let progress = site.progress();
                let why = args.by.as_ref().map_or_else(|| reason.clone(), |by| format!("by {by}: {reason}"));
                let outcome = site.selfext().roll_back(&args.run, &why, &progress).await;
                progress.finish(outcome.is_ok());
                let outcome = outcome?;
                if let RollbackEnding::RolledBack { commit } = &outcome.ending {
                    site.follow_commit(commit);
                }
                let exit = Exit::of_rollback(&outcome.ending);
                print(&outcome, exit, &args.target, ledger.json)?;
                exit
            }
            None => plan::show(site.selfext(), &args.run, ledger.json).await?,
        };
        site.end().await;
        Ok(exit)
    };
    unless_interrupted("what was done is in the ledger; roll it back again", work).await
}

fn print(outcome: &RollbackOutcome, exit: Exit, target: &Target, json: bool) -> Result<()> {
    if json {
        let mut value = serde_json::to_value(outcome)?;
        value["exit_code"] = json!(exit as u8);
        show::print_json(&value);
        return Ok(());
    }
    let mut text = match &outcome.ending {
        RollbackEnding::RolledBack { commit } => format!("rolled back: {commit}"),
        RollbackEnding::Waiting(refusal) => {
            format!("not rolled back yet: {}\n{}", refusal.reason, show::clean(&refusal.detail))
        }
        RollbackEnding::InDoubt { detail } => format!("in doubt: {}", show::clean(detail)),
        RollbackEnding::Failed(refusal) => {
            format!("could not be rolled back: {}\n{}", refusal.reason, show::clean(&refusal.detail))
        }
    };
    // Writing to a string cannot fail.
    let _ = write!(text, "\nrun {}", show::clean(outcome.run.as_str()));
    if let Some(rollback) = &outcome.rollback_run {
        let _ = write!(text, ", taken back by run {}", show::clean(rollback.as_str()));
    }
    if let Some(link) = &outcome.pull_request {
        let _ = write!(text, ", pull request {}", link.number);
    }
    let run = quoted(outcome.run.as_str());
    match &outcome.ending {
        RollbackEnding::RolledBack { .. } => {}
        RollbackEnding::Waiting(_) | RollbackEnding::InDoubt { .. } => {
            let _ = write!(text, "\nnext: `selfext rollback {run} --reason TEXT {}` goes on with it", target.words());
        }
        RollbackEnding::Failed(_) => {
            let _ = write!(text, "\nnext: take it back by hand, then `selfext acknowledge {run} --by NAME`");
        }
    }
    show::print(&text);
    Ok(())
}
