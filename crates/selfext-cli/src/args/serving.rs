//! What is typed to receive webhooks.
#![expect(clippy::doc_markdown, reason = "these comments are the help's text")]

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use selfext::RepositoryName;

pub(super) const SERVED: &str = "\
A promotion that waits for checks asks GitHub again and again, ever less often. With webhooks it asks when something happened:
this receives them and tells every promotion on the same ledger, on this machine, and with Postgres on others too. A delivery is
never believed: it only lets those who wait ask sooner, and without any they ask at their times.

On GitHub: the repository's settings, Webhooks, the content type application/json, a random secret, and the events Statuses, Check
runs, Check suites, Pull requests, Pull request reviews, Pushes and Merge groups. GitHub sends them over the internet, so put what
ends TLS before this, for example a reverse proxy; bodies may have 1 MiB.";

#[derive(Args, Debug)]
pub struct Serve {
    /// Where to listen for webhooks.
    #[arg(long, value_name = "ADDRESS")]
    pub webhooks: SocketAddr,
    /// The repository on GitHub that they are of.
    #[arg(long, value_name = "OWNER/NAME")]
    pub github: RepositoryName,
    /// The file with the secret that GitHub was given for them. Without it, SELFEXT_WEBHOOK_SECRET.
    #[arg(long, value_name = "FILE")]
    pub webhook_secret_file: Option<PathBuf>,
}
