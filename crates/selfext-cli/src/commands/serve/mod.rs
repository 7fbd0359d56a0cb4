//! `serve`.

mod connections;
mod webhooks;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use selfext::{RepositoryName, WebhookReceiver, WebhookSecret};
use serde_json::json;
use tokio::net::TcpListener;

use super::Ledger;
use crate::args::Serve;
use crate::exit::{Exit, usage};
use crate::interrupt::Interrupt;
use crate::show;

use connections::Connections;

/// How long a connection may live, whatever is sent over it. GitHub makes new ones.
const LIFE: Duration = Duration::from_secs(30);

/// How long a body may take to come. GitHub itself waits 10 s for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The variable that may hold the secret.
const SECRET: &str = "SELFEXT_WEBHOOK_SECRET";

pub async fn run(ledger: &Ledger, args: &Serve) -> Result<Exit> {
    let secret = secret(args.webhook_secret_file.as_deref())?;
    let receiver = WebhookReceiver::new(args.github.clone(), &secret);
    let operations = ledger.open().await?;
    // Before the address is printed: whoever saw it may interrupt.
    let mut interrupt = Interrupt::listen()?;
    let listener = TcpListener::bind(args.webhooks).await;
    let listener = listener.with_context(|| format!("--webhooks {} cannot be had", args.webhooks))?;
    let address = listener.local_addr().context("the address is not known")?;
    tell(&args.github, address, ledger.json);
    let server = axum::serve(Connections::new(listener, LIFE), webhooks::service(receiver, operations, PATIENCE));
    tokio::select! {
        served = server.into_future() => served.context("the server ended")?,
        () = interrupt.came() => {}
    }
    Ok(Exit::Done)
}

fn tell(repository: &RepositoryName, address: SocketAddr, json: bool) {
    let url = format!("http://{address}/");
    if json {
        show::print_json(&json!({"url": url, "repository": repository}));
    } else {
        show::print(&format!(
            "waiting for webhooks of {repository} on {url}\nthey only let waiting promotions look sooner; it ends with Ctrl-C"
        ));
    }
}

/// The secret, from the file that is named or from the environment. What it is, is not repeated.
fn secret(file: Option<&Path>) -> Result<WebhookSecret> {
    let (text, from) = if let Some(file) = file {
        let from = format!("--webhook-secret-file {}", file.display());
        let text = std::fs::read_to_string(file).map_err(|error| usage(format!("{from}: {error}")))?;
        (text, from)
    } else {
        let missing =
            || usage(format!("no secret for webhooks: name a file with --webhook-secret-file, or set {SECRET}"));
        (std::env::var(SECRET).map_err(|_| missing())?, SECRET.to_owned())
    };
    WebhookSecret::parse(&text).map_err(|error| usage(format!("{from}: {error}")))
}
