//! `watch`.

mod ground;
mod pauses;
mod prober;
mod sealing;
mod telling;

use std::time::Duration;

use anyhow::Result;
use selfext::{Found, Tick, WatchConfig};

use super::Ledger;
use super::auditing::keys;
use crate::args::Watch;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::show;

use ground::Ground;
use pauses::Pauses;
use prober::Prober;
use sealing::Sealing;
use telling::Teller;

pub async fn run(ledger: &Ledger, args: &Watch) -> Result<Exit> {
    let key = args.seal_every.map(|_| keys::signer(args.key_file.as_deref())).transpose()?;
    let every = Duration::from_secs(args.interval_seconds);
    let usual = WatchConfig::default();
    // A lease that ran out between two looks would change hands at each of them.
    let config = WatchConfig { lease: usual.lease.max(every * 3), ..usual };
    // Before anything is said: whoever saw a line may interrupt.
    let mut interrupt = Interrupt::listen()?;
    let mut ground = Ground::find(ledger, &args.target, config).await?;
    let teller = Teller::new(ledger.json);
    if args.once {
        let exit = tokio::select! {
            exit = once(ledger, &mut ground, &teller) => exit,
            () = interrupt.came() => Ok(Exit::Done),
        };
        ground.end().await;
        return exit;
    }
    let sealing = Sealing { ledger, key: key.as_ref(), args };
    let ended = tokio::select! {
        ended = again_and_again(ledger, &mut ground, &teller, every) => ended,
        never = sealing.run() => match never {},
        () = interrupt.came() => Ok(Exit::Done),
    };
    ground.end().await;
    if ended.is_ok() {
        teller.ended();
    }
    ended
}

/// One look, and one at the agent if a window is open.
async fn once(ledger: &Ledger, ground: &mut Ground<'_>, teller: &Teller) -> Result<Exit> {
    let look = ground.look(teller).await?;
    teller.tick(&ground.place(), &look);
    if let Some(rules) = prober::wanted(&look) {
        let at = ground.branch()?;
        prober::look_once(&ledger.open().await?, rules, &at, teller).await?;
    }
    Ok(exit(&look))
}

/// Looks until something is wrong that no time mends: only what was typed can be, and only before the first look.
async fn again_and_again(ledger: &Ledger, ground: &mut Ground<'_>, teller: &Teller, every: Duration) -> Result<Exit> {
    let mut pauses = Pauses::new(every);
    let mut prober = Prober::default();
    let mut looked = false;
    loop {
        match ground.look(teller).await {
            Ok(look) => {
                looked = true;
                teller.tick(&ground.place(), &look);
                if let Err(error) = prober.follow(ledger, prober::wanted(&look), ground, teller).await {
                    show::note(&show::error_lines(&error));
                }
                // On this machine each look is a watchdog's first, which does not remember what was refused.
                if ground.is_local() && only_waits(&look) { pauses.failed() } else { pauses.worked() }
            }
            Err(error) if !looked && Exit::of_error(&error) == Exit::Usage => return Err(error),
            Err(error) => {
                teller.failed(&error);
                pauses.failed();
            }
        }
        tokio::time::sleep(pauses.next()).await;
    }
}

/// Whether all there is to do was refused for now.
fn only_waits(look: &Tick) -> bool {
    let Tick::Looked { findings, .. } = look else { return false };
    !findings.is_empty() && findings.iter().all(|finding| matches!(finding.found, Found::Waiting(_)))
}

/// The gravest of what one look found.
fn exit(look: &Tick) -> Exit {
    let Tick::Looked { findings, .. } = look else { return Exit::Done };
    let of = |found: &Found| match found {
        Found::InDoubt { .. } => Exit::InDoubt,
        Found::Waiting(_) => Exit::Blocked,
        Found::RollbackFailed(_) | Found::Unsettled(_) => Exit::Failed,
        Found::WindowOpen { .. } | Found::Healthy { .. } | Found::RolledBack { .. } | Found::Gone => Exit::Done,
    };
    findings.iter().map(|finding| of(&finding.found)).max_by_key(|exit| *exit as u8).unwrap_or(Exit::Done)
}
