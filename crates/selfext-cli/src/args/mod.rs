//! What can be typed.
#![expect(clippy::doc_markdown, reason = "these comments are the help's text")]

mod auditing;
mod health;
mod looking;
mod pausing;
mod promoting;
mod serving;

pub use auditing::{Audit, Prove, PublicKeys, Seal};
pub use health::{Agent, Beat, Rollback, Watch};
pub use looking::{Events, Runs};
pub use pausing::Pause;
pub use promoting::{Change, Context, Promote, Target};
pub use serving::Serve;

use std::net::SocketAddr;
use std::path::PathBuf;

use auditing::{AUDITED, SEALED};
use clap::{Parser, Subcommand};
use health::{BEATEN, TAKEN_BACK, WATCHED};
use pausing::PAUSED;
use promoting::{EXAMPLES, USAGE};
use selfext::{History, OperatorName, RepositoryName, RunId};
use serving::SERVED;

/// The one safe path by which an agent's change reaches the main branch.
#[derive(Debug, Parser)]
#[command(name = "selfext", version, after_help = EXIT_CODES)]
pub struct Cli {
    /// The ledger: postgres://… or sqlite://PATH. Without it, an SQLite file in the platform's state folder.
    #[arg(long, global = true, env = "SELFEXT_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database: Option<String>,

    /// Answer in JSON on standard output.
    #[arg(long, global = true)]
    pub json: bool,

    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done; for promote: the change is on the base branch
  1  failed: the run is over without having landed, or something went wrong
  2  the command line or its input is wrong; nothing was done
  3  blocked: the same change may be promoted again later
  4  verification failed: the run is over
  5  in doubt: the merge may have happened; `selfext reconcile` asks again. For pause: promotion is paused, but something
     that began before may still merge";

const ALLOWED: &str = "\
A run that touches protected paths is blocked before anything of it is run. This shows them with the fingerprint of its content,
and records by name that this one run may touch them. Then promote the same change set again: it is verified and gated as any
other. A path that becomes protected later blocks it again, and the same content in another run is not allowed.
A run whose content was rolled back before is blocked, too: this records by name that it may land again.";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a commented rules file selfext.toml.
    Init {
        /// The repository's folder.
        #[arg(default_value = ".")]
        folder: PathBuf,
    },
    /// Take a change to the base branch, through verification, pull request, gate and merge.
    #[command(after_help = EXAMPLES, override_usage = USAGE)]
    Promote(Box<Promote>),
    /// Pause promotion: nothing of selfext's merges until resume.
    #[command(after_help = PAUSED)]
    Pause(Box<Pause>),
    /// Resume promotion.
    Resume {
        /// Who resumes.
        #[arg(long, value_name = "NAME")]
        by: OperatorName,
        /// Why.
        #[arg(long, value_name = "TEXT", value_parser = said)]
        reason: Option<String>,
        /// The database's new history, as the status names it, where it is not the accepted one; after a sweep.
        #[arg(long, value_name = "HISTORY")]
        accept_history: Option<History>,
    },
    /// Pause, and fence off every branch of selfext's in a repository, whatever the ledger knows of it: after the database
    /// may have lost its last commits.
    Sweep {
        /// Who sweeps.
        #[arg(long, value_name = "NAME")]
        by: OperatorName,
        #[command(flatten)]
        target: Target,
    },
    /// Show whether promotion is paused, what may merge, what has to prove itself or is taken back, what is open, and the latest runs.
    Status {
        /// How many runs of each kind, at most 1000.
        #[arg(long, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// List runs, the latest first: all of them, or those that are open or blocked, of a goal, a tool or a pull request.
    Runs(Runs),
    /// Show events: all of them, or those of one run, of some types, of some time. With --json, one document a line.
    Events(Events),
    /// Allow one run that is blocked by protected paths to touch them, or that was rolled back before to land again, once; or look
    /// at what there is to allow.
    #[command(after_help = ALLOWED)]
    Allow {
        /// The run.
        run: RunId,
        /// Who allows it.
        #[arg(long, value_name = "NAME", required_unless_present = "look")]
        by: Option<OperatorName>,
        /// Why.
        #[arg(long, value_name = "TEXT", value_parser = said, conflicts_with = "look")]
        reason: Option<String>,
        /// Show what would be allowed, and record nothing.
        #[arg(long, conflicts_with = "by")]
        look: bool,
    },
    /// End an open run: its pull request is closed and its branch deleted.
    Abandon {
        /// The run.
        run: RunId,
        /// Who ends it.
        #[arg(long, value_name = "NAME")]
        by: OperatorName,
        /// Why.
        #[arg(long, value_name = "TEXT", value_parser = said)]
        reason: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Look whether everything that a promotion needs is there: ledger, token and its rights, repository, base branch and its
    /// protection, contexts that nobody sets, rules, git, and the walls around verification. Changes nothing.
    Doctor {
        #[command(flatten)]
        target: Target,
    },
    /// Say which commit of the agent runs, and how it is.
    #[command(after_help = BEATEN)]
    Heartbeat(Beat),
    /// Watch what landed from outside of the agent: judge health windows, and take back what turned out sick.
    #[command(after_help = WATCHED)]
    Watch(Box<Watch>),
    /// Take a landed change back, or show what that would do.
    #[command(after_help = TAKEN_BACK)]
    Rollback(Box<Rollback>),
    /// Say that a failed rollback was seen and dealt with, which frees promotion.
    Acknowledge {
        /// The run that could not be taken back.
        run: RunId,
        /// Who says so.
        #[arg(long, value_name = "NAME")]
        by: OperatorName,
        /// What was done about it.
        #[arg(long, value_name = "TEXT", value_parser = said)]
        reason: Option<String>,
    },
    /// Settle merges that a crash left open.
    Reconcile {
        #[command(flatten)]
        target: Target,
    },
    /// Seal the ledger: sign a root over all events so far, and store it.
    #[command(after_help = SEALED)]
    Seal(Seal),
    /// Verify the whole ledger: chain, lives of runs, seals.
    #[command(after_help = AUDITED)]
    Audit(Audit),
    /// Write the whole ledger as JSON lines, for an audit elsewhere.
    Export {
        /// The file, which must not be there; `-` is standard output.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Prove what the last seal says of a run, or that it continues an earlier one.
    Prove(Prove),
    /// Verify a proof with nothing but the public key.
    Verify {
        /// The proof; `-` is standard input.
        proof: PathBuf,
        #[command(flatten)]
        keys: PublicKeys,
    },
    /// Bring the ledger's schema to this version.
    Migrate,
    /// Receive GitHub's webhooks, so that promotions that wait for checks look at once.
    #[command(after_help = SERVED)]
    Serve(Serve),
    /// Serve GitHub's REST API over a local repository.
    Twin {
        /// The repository, bare or not.
        #[arg(long, value_name = "PATH")]
        repo: PathBuf,
        /// Where to listen.
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
        listen: SocketAddr,
        /// The name it is served under.
        #[arg(long, value_name = "OWNER/NAME")]
        name: Option<RepositoryName>,
    },
    /// Show it all on a small repository of its own, without network, account or server.
    Demo,
}

/// A word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A text that says something.
fn said(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() { Err("it says nothing") } else { Ok(text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_quoted_word_is_one_word_to_a_shell() {
        for (word, expected) in
            [("a/b-c.d", "a/b-c.d"), ("", "''"), ("a b", "'a b'"), ("it's", r"'it'\''s'"), ("$(x)", "'$(x)'")]
        {
            assert_eq!(quoted(word), expected);
        }
    }
}
