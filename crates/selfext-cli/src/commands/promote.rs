//! `promote`.

use anyhow::Result;
use selfext::{Ending, Outcome};

use super::Ledger;
use super::target::Place;
use crate::args::Promote;
use crate::exit::Exit;
use crate::interrupt::unless_interrupted;
use crate::{change, show};

pub async fn run(ledger: &Ledger, args: &Promote) -> Result<Exit> {
    let place = Place::find(&args.target).await?.letting_stages_read(&args.read_paths);
    let change = change::read(&args.change, &args.context, place.local())?;
    let work = async {
        let site = place.open(ledger, &args.target.base).await?;
        let progress = site.progress();
        let outcome = site.selfext().promote_as(&change, args.run.as_ref(), &progress).await;
        progress.finish(outcome.as_ref().is_ok_and(promoted));
        let outcome = outcome?;
        site.follow(&outcome);
        site.end().await;
        let exit = Exit::of(&outcome);
        show::print_outcome(&outcome, exit, &args.target, ledger.json);
        Ok(exit)
    };
    unless_interrupted("what was done is in the ledger, and promoting the same change again goes on with it", work)
        .await
}

const fn promoted(outcome: &Outcome) -> bool {
    matches!(outcome.ending, Ending::Promoted { .. })
}
