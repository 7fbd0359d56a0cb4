//! `abandon`.

use anyhow::Result;
use selfext::{Ending, OperatorName, RunId};

use super::Ledger;
use super::target::Place;
use crate::args::Target;
use crate::exit::Exit;
use crate::interrupt::unless_interrupted;
use crate::show;

pub async fn run(
    ledger: &Ledger,
    run: &RunId,
    by: &OperatorName,
    reason: Option<&str>,
    target: &Target,
) -> Result<Exit> {
    let place = Place::find(target).await?;
    let work = async {
        let site = place.open(ledger, &target.base).await?;
        let progress = site.progress();
        let outcome = site.selfext().abandon(run, by, reason, &progress).await;
        progress.finish(outcome.is_ok());
        let outcome = outcome?;
        site.follow(&outcome);
        site.end().await;
        let exit = match outcome.ending {
            Ending::Abandoned => Exit::Done,
            // It landed before it could be ended.
            Ending::Promoted { .. } => Exit::Failed,
            _ => Exit::of(&outcome),
        };
        show::print_outcome(&outcome, exit, target, ledger.json);
        Ok(exit)
    };
    unless_interrupted("what was done is in the ledger; abandon it again", work).await
}
