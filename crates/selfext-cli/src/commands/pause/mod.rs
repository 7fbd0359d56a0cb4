//! `pause`.

mod fence;
mod following;
mod settle;

use anyhow::{Context as _, Result, bail};
use selfext::{Operations, PauseAnswer};

use super::Ledger;
use crate::args::Pause;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::show::{self, PauseReport};
use following::Following;

pub async fn run(ledger: &Ledger, args: &Pause) -> Result<Exit> {
    let mut interrupt = Interrupt::listen()?;
    let (operations, answer) = tokio::select! {
        paused = pause(ledger, args) => paused?,
        () = interrupt.came() => bail!("interrupted; whether promotion is paused is not known: `selfext status` tells"),
    };
    // From here on it is paused, and whatever fails changes nothing about that: it is told, and what may still merge listed.
    let mut following = Following::new(&operations, answer.in_flight.clone(), ledger.json);
    let goes_on = (args.wait || args.fence) && !answer.in_flight.is_empty();
    if goes_on {
        following.list();
        tokio::select! {
            ended = end(ledger, args, &mut following) => {
                if let Err(error) = ended {
                    show::note(&show::error_lines(&error));
                }
            }
            () = interrupt.came() => show::note("interrupted; promotion stays paused"),
        }
    }
    // The last word is what the ledger says now, which a resume in between may have changed.
    let last = if goes_on { operations.pause_again(&answer).await } else { Ok(answer.clone()) };
    let open = following.open().to_vec();
    let Following { ended, obstacles, .. } = following;
    let (answer, unread) = match last {
        Ok(answer) => (answer, None),
        Err(error) => (PauseAnswer { in_flight: open, ..answer }, Some(error)),
    };
    Ok(PauseReport { answer, unread, ended, obstacles }.print(ledger.json))
}

async fn pause(ledger: &Ledger, args: &Pause) -> Result<(Operations, PauseAnswer)> {
    let operations = ledger.open().await.context("nothing was paused")?;
    let answer = operations.pause(&args.by, &args.reason, args.allow_rollbacks).await;
    Ok((operations, answer.context("it is not known whether promotion is paused; pause again")?))
}

/// Brings what may still merge to its end, as far as was asked for.
async fn end(ledger: &Ledger, args: &Pause, following: &mut Following<'_>) -> Result<()> {
    if args.fence {
        let why = format!("paused by {}: {}", args.by, args.reason);
        fence::fence(ledger, &args.target, &why, following).await?;
    }
    if !args.wait {
        return Ok(());
    }
    tokio::select! {
        waited = following.wait(args.target.is_named()) => Ok(waited?),
        never = settle::settle(ledger, &args.target) => match never {},
    }
}
