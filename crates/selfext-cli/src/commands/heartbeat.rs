//! `heartbeat`.

use anyhow::{Context as _, Result};
use selfext::{Heartbeat, RepositoryName};
use serde_json::json;

use super::Ledger;
use crate::args::{Agent, Beat};
use crate::exit::{Exit, usage};
use crate::local::Repository;
use crate::show;

pub async fn run(ledger: &Ledger, args: &Beat) -> Result<Exit> {
    let heartbeat = Heartbeat {
        repository: repository(&args.agent)?,
        base: args.agent.base.clone(),
        commit: args.commit.clone(),
        healthy: !args.unhealthy,
        reporter: args.reporter.clone().map_or_else(selfext::this_host, Ok)?,
        detail: args.detail.clone(),
    };
    let at = ledger.open().await?.heartbeat(&heartbeat).await.context("it is not known whether it was recorded")?;
    if ledger.json {
        show::print_json(&json!({
            "outcome": "recorded",
            "at": at,
            "repository": heartbeat.repository,
            "base": heartbeat.base,
            "commit": heartbeat.commit,
            "healthy": heartbeat.healthy,
            "exit_code": Exit::Done as u8,
        }));
    } else {
        let word = if heartbeat.healthy { "healthy" } else { "unhealthy" };
        show::print(&format!("recorded: {} is {word} at {}", heartbeat.commit.short(), show::time(at)));
    }
    Ok(Exit::Done)
}

fn repository(agent: &Agent) -> Result<RepositoryName> {
    match (&agent.github, &agent.local) {
        (Some(repository), _) => Ok(repository.clone()),
        (None, Some(path)) => Repository::name_at(path),
        (None, None) => Err(usage("name a repository with --github or --local")),
    }
}
