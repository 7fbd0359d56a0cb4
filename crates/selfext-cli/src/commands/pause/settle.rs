//! Settling what a crash left open, for as long as a pause waits.

use std::convert::Infallible;
use std::time::Duration;

use anyhow::Result;
use selfext::Silent;

use crate::args::Target;
use crate::commands::Ledger;
use crate::commands::target::Place;
use crate::show;

/// How long it waits between two questions to the forge.
const ROUND: Duration = Duration::from_secs(5);

/// Settles, again and again, where a repository is named. If that cannot be done it is told, and what others settle is still
/// waited for.
pub async fn settle(ledger: &Ledger, target: &Target) -> Infallible {
    if target.is_named()
        && let Err(error) = rounds(ledger, target).await
    {
        show::note(&show::error_lines(&error.context("nothing is settled here; what others settle is waited for")));
    }
    std::future::pending().await
}

async fn rounds(ledger: &Ledger, target: &Target) -> Result<Infallible> {
    let site = Place::find(target).await?.open(ledger, &target.base).await?;
    loop {
        site.selfext().recover(&Silent).await?;
        tokio::time::sleep(ROUND).await;
    }
}
