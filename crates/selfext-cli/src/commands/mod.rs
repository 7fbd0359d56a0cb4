//! The commands, one file each.

mod abandon;
mod acknowledge;
mod allow;
mod auditing;
mod demo;
mod doctor;
mod events;
mod heartbeat;
mod identity;
mod init;
mod migrate;
mod pause;
mod promote;
mod reconcile;
mod resume;
mod rollback;
mod runs;
mod serve;
mod status;
mod sweep;
mod target;
mod twin;
mod watch;

use anyhow::{Context as _, Result};
use selfext::{DatabaseUrl, Operations, default_database};

use crate::args::{Cli, Command};
use crate::exit::{Exit, usage};

/// Runs what was typed.
pub async fn run(cli: Cli) -> Result<Exit> {
    let Cli { database, json, command } = cli;
    let ledger = Ledger { url: database, json };
    match command {
        Command::Init { folder } => init::run(&folder, json),
        Command::Promote(promote) => promote::run(&ledger, &promote).await,
        Command::Pause(pause) => pause::run(&ledger, &pause).await,
        Command::Resume { by, reason, accept_history } => {
            resume::run(&ledger, &by, reason.as_deref(), accept_history).await
        }
        Command::Sweep { by, target } => sweep::run(&ledger, &by, &target).await,
        Command::Status { limit } => status::run(&ledger, limit).await,
        Command::Runs(args) => runs::run(&ledger, &args).await,
        Command::Events(args) => events::run(&ledger, &args).await,
        Command::Allow { run, by, reason, look: _ } => allow::run(&ledger, &run, by.as_ref(), reason.as_deref()).await,
        Command::Abandon { run, by, reason, target } => {
            abandon::run(&ledger, &run, &by, reason.as_deref(), &target).await
        }
        Command::Doctor { target } => doctor::run(&ledger, &target).await,
        Command::Heartbeat(args) => heartbeat::run(&ledger, &args).await,
        Command::Watch(args) => watch::run(&ledger, &args).await,
        Command::Rollback(args) => rollback::run(&ledger, &args).await,
        Command::Acknowledge { run, by, reason } => acknowledge::run(&ledger, &run, &by, reason.as_deref()).await,
        Command::Reconcile { target } => reconcile::run(&ledger, &target).await,
        Command::Seal(args) => auditing::seal(&ledger, &args).await,
        Command::Audit(args) => auditing::audit(&ledger, &args).await,
        Command::Export { to } => auditing::export(&ledger, &to).await,
        Command::Prove(args) => auditing::prove(&ledger, &args).await,
        Command::Verify { proof, keys } => auditing::verify(&proof, &keys.keys, json),
        Command::Migrate => migrate::run(&ledger).await,
        Command::Serve(args) => serve::run(&ledger, &args).await,
        Command::Twin { repo, listen, name } => twin::run(&repo, listen, name, json).await,
        Command::Demo => demo::run(json).await,
    }
}

/// Which ledger, and how to answer.
struct Ledger {
    url: Option<String>,
    json: bool,
}

impl Ledger {
    fn url(&self) -> Result<DatabaseUrl> {
        match &self.url {
            Some(url) => {
                DatabaseUrl::parse(url).map_err(|error| usage(format!("--database, or SELFEXT_DATABASE_URL: {error}")))
            }
            None => Ok(default_database()?),
        }
    }

    async fn open(&self) -> Result<Operations> {
        let url = self.url()?;
        Operations::open(&url).await.with_context(|| format!("the ledger {url} could not be opened"))
    }
}
