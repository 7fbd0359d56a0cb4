//! `--fence`.

use selfext::{Ending, LedgerError};

use super::Following;
use crate::args::Target;
use crate::commands::Ledger;
use crate::commands::target::Place;
use crate::show;

/// Fences off each open merge of the repository, and keeps what stood in the way. The repository is opened only here, after
/// the pause: one on this machine may be had by the very promotion that is to be stopped, and is waited for.
pub async fn fence(
    ledger: &Ledger,
    target: &Target,
    why: &str,
    following: &mut Following<'_>,
) -> Result<(), LedgerError> {
    let opened = async { Place::find(target).await?.open(ledger, &target.base).await };
    let site = match opened.await {
        Ok(site) => site,
        Err(error) => {
            let why = one_line(&error);
            for permit in following.open().to_vec() {
                following.was_not_fenced(&permit.run, why.as_str());
            }
            return Ok(());
        }
    };
    let progress = site.progress();
    following.look().await?;
    for permit in following.open().to_vec() {
        let (selfext, run) = (site.selfext(), &permit.run);
        if !site.is_of(&permit) {
            let why = format!("it is of {} and its {}, which is not what was named", permit.repository, permit.base);
            following.was_not_fenced(run, why);
            continue;
        }
        match selfext.fence_merge(run, why, &progress).await {
            Ok(outcome) => {
                site.follow(&outcome);
                if let Ending::InDoubt { detail } = outcome.ending {
                    following.was_not_fenced(run, detail);
                }
            }
            Err(error) => following.was_not_fenced(run, one_line(&error.into())),
        }
        following.look().await?;
    }
    progress.finish(true);
    site.end().await;
    Ok(())
}

fn one_line(error: &anyhow::Error) -> String {
    std::iter::once(error.to_string()).chain(show::causes(error)).collect::<Vec<_>>().join(": ")
}
