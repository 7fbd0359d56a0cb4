//! What is typed about the health of what landed.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use selfext::{BranchName, CommitSha, OperatorName, Reporter, RepositoryName, RunId};

use super::{Target, said};

pub(super) const BEATEN: &str = "\
Each call is one sample. It needs the ledger alone, no token: the agent, or whatever stands beside it, says which commit runs and
how it is, several times within health.silence_seconds. The time is that of the database's clock. A heartbeat of another commit
than the promoted one does not count for it. docs/health.md says what a window asks for.";

pub(super) const TAKEN_BACK: &str = "\
It takes back everything that the run changed, as a run of its own: verified, published, gated and merged like any change. What
others changed since is kept; where both changed the same lines it ends as rollback_failed, with what could be restored on a pull
request for a person. It obeys a pause, unless that was made with --allow-rollbacks. The same command goes on with a rollback
that was interrupted or refused for now.";

pub(super) const WATCHED: &str = "\
It belongs into a process of its own, which a bad change cannot end: examples/watch has a systemd unit and a container. Run two, on
two machines, if you like: one has the lease and acts, the other takes over.

It tells on standard output what it sees and does, a line each; with --json, a document each. A database or forge that does not
answer is told and tried again. It ends with Ctrl-C or SIGTERM, and goes on where it stopped when it is started again.

With a probe in the rules ([health.probe]) it looks at the agent itself while a window is open. A command runs in this process's
folder, with PATH, HOME and LANG alone.";

/// Which agent, where the ledger alone is asked.
#[derive(Args, Debug)]
#[command(next_help_heading = "The repository", group(ArgGroup::new("agent").required(true)))]
pub struct Agent {
    /// The agent's repository on GitHub. Nothing is asked there.
    #[arg(long, value_name = "OWNER/NAME", group = "agent")]
    pub github: Option<RepositoryName>,
    /// The agent's repository on this machine.
    #[arg(long, value_name = "PATH", group = "agent")]
    pub local: Option<PathBuf>,
    /// The branch that its changes land on.
    #[arg(long, value_name = "BRANCH", default_value = "main")]
    pub base: BranchName,
}

#[derive(Args, Debug)]
pub struct Beat {
    /// The commit that runs: of the code in the process, not of a checkout that may have moved on.
    #[arg(long, value_name = "SHA")]
    pub commit: CommitSha,
    /// That it is not well.
    #[arg(long)]
    pub unhealthy: bool,
    /// What is wrong, for people; at most 1 KiB of it is kept, without secrets.
    #[arg(long, value_name = "TEXT")]
    pub detail: Option<String>,
    /// Who reports, for people; this host by default.
    #[arg(long, value_name = "NAME")]
    pub reporter: Option<Reporter>,
    #[command(flatten)]
    pub agent: Agent,
}

#[derive(Args, Debug)]
pub struct Rollback {
    /// The run whose change is taken back.
    pub run: RunId,
    /// Why; it stands in the ledger.
    #[arg(long, value_name = "TEXT", value_parser = said, required_unless_present = "dry_run")]
    pub reason: Option<String>,
    /// Who takes it back.
    #[arg(long, value_name = "NAME")]
    pub by: Option<OperatorName>,
    /// Show what would be restored and what that has to pass, and do nothing.
    #[arg(long, conflicts_with = "reason")]
    pub dry_run: bool,
    #[command(flatten)]
    pub target: Target,
}

#[derive(Args, Debug)]
pub struct Watch {
    /// Look once, and end.
    #[arg(long, conflicts_with = "seal_every")]
    pub once: bool,
    /// How long from one look to the next.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub interval_seconds: u64,
    /// Seal the ledger, too, every so many seconds.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400), help_heading = "Sealing")]
    pub seal_every: Option<u64>,
    /// The file of the seals' secret key. Without it, the variable SELFEXT_SEAL_KEY holds the key itself.
    #[arg(long, value_name = "FILE", env = "SELFEXT_SEAL_KEY_FILE", help_heading = "Sealing")]
    pub key_file: Option<PathBuf>,
    /// Write each signed checkpoint to this file, in the place of what is there.
    #[arg(long, value_name = "FILE", requires = "seal_every", help_heading = "Sealing")]
    pub seal_to: Option<PathBuf>,
    /// Put each new checkpoint into an annotated tag selfext-seal/EVENTS of this git repository.
    #[arg(long, value_name = "REPOSITORY", requires = "seal_every", help_heading = "Sealing")]
    pub seal_tag: Option<PathBuf>,
    #[command(flatten)]
    pub target: Target,
}
