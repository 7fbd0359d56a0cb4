//! What can be typed.
#![expect(clippy::doc_markdown, reason = "these comments are the help's text")]

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand};
use selfext::{BranchName, History, OperatorName, Position, RepoPath, RepositoryName, RunId};

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

const USAGE: &str = "\
selfext promote <--github <OWNER/NAME>|--local <PATH>> --message <TEXT> [--file <PATH=FROM>] [--delete <PATH>] [--patch <FILE>|--worktree]
       selfext promote <--github <OWNER/NAME>|--local <PATH>> --stdin";

const EXAMPLES: &str = "\
Examples:
  selfext promote --local . --message 'Say why' --worktree
  selfext promote --github OWNER/NAME --message 'Say why' --file src/x.rs=./x.rs --delete old.rs
  agent | selfext promote --github OWNER/NAME --stdin --json

The same change may be promoted again at any time: its run goes on where it stopped, or is reported.
A change says what its files hold, so --worktree and --patch want a checkout that is up to date with the base branch.
The exit code tells how the run stands: see `selfext --help`.";

const PAUSED: &str = "\
It says \"paused; nothing can merge until resume\" only where that is so, and then ends with exit code 0. A merge that began
before is listed, and the exit code is 5: --wait follows it to its end, --fence makes sure that it cannot happen (its pull
request is closed and its run has failed, unless it turns out to have landed).

Promotion is paused before anything else is done: no repository, token or forge that fails can prevent it.";

const ALLOWED: &str = "\
A run that touches protected paths is blocked before anything of it is run. This shows them with the fingerprint of its content,
and records by name that this one run may touch them. Then promote the same change set again: it is verified and gated as any
other. A path that becomes protected later blocks it again, and the same content in another run is not allowed.";

const SEALED: &str = "\
A seal shows later changes of what it seals to whoever has a copy of it, or of a later one. So hand it on: --to a file on another
machine, --tag a repository that is pushed elsewhere. Keep the secret key away from whoever holds the database, agents too:
  selfext seal --new-key example.com/agent --key-file seal.key
The checkpoint is a C2SP signed note, which witnesses can cosign.";

const AUDITED: &str = "\
The exit code is that of the gravest finding:
  13  forged: everything fits together, but is not what was sealed, or nothing that selfext writes
  10  edited: a row is not what was written
  11  missing: events are gone
  14  cut off: the ledger ends before its last seal
  12  reordered: a row stands behind one that was written after it
  15  contradicted: the open runs or the promotion control are not what the ledger says
  16  not everything could be judged: events of a later version, or seals over what is missing
Without --key no seal can be judged. A checkpoint that was kept elsewhere (--checkpoint) finds a ledger that was rewritten
together with its own.";

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
    /// Show whether promotion is paused, what may merge, and the latest runs.
    Status {
        /// How many runs, at most 1000.
        #[arg(long, value_name = "NUMBER", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Show events: all of them, or those of one run. With --json, one document a line.
    Events {
        /// Only this run; `control` for pauses and resumes.
        #[arg(long, value_name = "ID")]
        run: Option<String>,
        /// Go on as new events come, until interrupted.
        #[arg(long)]
        follow: bool,
        /// Only what comes behind this position, which --json tells of each event: go on where you stopped.
        #[arg(long, value_name = "POSITION")]
        after: Option<Position>,
    },
    /// Allow one run that is blocked by protected paths to touch them, once; or look at what there is to allow.
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

/// Whose signatures count.
#[derive(Args, Debug)]
pub struct PublicKeys {
    /// A public key, or a file of them. May be repeated; witnesses' keys count too.
    #[arg(long = "key", value_name = "KEY|FILE", env = "SELFEXT_SEAL_PUBLIC_KEY")]
    pub keys: Vec<String>,
}

#[derive(Args, Debug)]
pub struct Seal {
    /// The file of the secret key. Without it, the variable SELFEXT_SEAL_KEY holds the key itself.
    #[arg(long, value_name = "FILE", env = "SELFEXT_SEAL_KEY_FILE")]
    pub key_file: Option<PathBuf>,
    /// Make a key of this name in --key-file, print its public half, and seal nothing.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["to", "tag", "every"])]
    pub new_key: Option<String>,
    /// Write the signed checkpoint to this file, in the place of what is there.
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
    /// Put each new checkpoint into an annotated tag selfext-seal/EVENTS of this git repository.
    #[arg(long, value_name = "REPOSITORY")]
    pub tag: Option<PathBuf>,
    /// Go on sealing, every so many seconds, until interrupted.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub every: Option<u64>,
}

#[derive(Args, Debug)]
pub struct Audit {
    /// Audit this export instead of the database; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub export: Option<PathBuf>,
    #[command(flatten)]
    pub keys: PublicKeys,
    /// A checkpoint that was kept elsewhere. May be repeated.
    #[arg(long = "checkpoint", value_name = "FILE")]
    pub checkpoints: Vec<PathBuf>,
}

#[derive(Args, Debug)]
#[command(group(ArgGroup::new("what").required(true)))]
pub struct Prove {
    /// The run.
    #[arg(group = "what")]
    pub run: Option<RunId>,
    /// An earlier checkpoint: prove that the last one continues it.
    #[arg(long, value_name = "FILE", group = "what")]
    pub since: Option<PathBuf>,
    #[command(flatten)]
    pub keys: PublicKeys,
    /// Where the proof goes; standard output by default.
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct Promote {
    #[command(flatten)]
    pub target: Target,
    #[command(flatten)]
    pub change: Change,
    #[command(flatten)]
    pub context: Context,
    /// The run's id: any stable text of up to 128 characters. The same id takes up the same run.
    #[arg(long, value_name = "ID", help_heading = "The run")]
    pub run: Option<RunId>,
    /// What stages of verification may read besides the system's programs and the tool chains that are found: absolute paths,
    /// with `:` between them. May be repeated. What holds credentials does not belong here.
    #[arg(
        long = "read-path",
        value_name = "PATH",
        env = "SELFEXT_READ_PATHS",
        value_delimiter = ':',
        value_parser = absolute,
        help_heading = "This machine"
    )]
    pub read_paths: Vec<PathBuf>,
}

/// How to pause.
#[derive(Args, Debug)]
#[command(mut_group("place", |place| place.required(false)))]
pub struct Pause {
    /// Why; shown to everybody who is refused.
    #[arg(long, value_name = "TEXT", value_parser = said)]
    pub reason: String,
    /// Who pauses.
    #[arg(long, value_name = "NAME")]
    pub by: OperatorName,
    /// Let rollbacks merge all the same.
    #[arg(long)]
    pub allow_rollbacks: bool,
    /// Wait until all that may still merge has ended. With a repository, settle there what a crash left open.
    #[arg(long)]
    pub wait: bool,
    /// Make sure that what may still merge in the repository cannot, or has.
    // Without a repository nothing is paused either, as with every command line that is not understood: the words say so at
    // once, and exit code 2 goes on meaning that nothing was done. What only shows later comes after the pause.
    #[arg(long, requires = "place")]
    pub fence: bool,
    #[command(flatten)]
    pub target: Target,
}

/// Which repository and branch.
#[derive(Args, Debug)]
#[command(next_help_heading = "The repository", group(ArgGroup::new("place").required(true)))]
pub struct Target {
    /// A repository on GitHub, with the token in SELFEXT_GITHUB_TOKEN, GITHUB_TOKEN or GH_TOKEN.
    #[arg(long, value_name = "OWNER/NAME", group = "place")]
    pub github: Option<RepositoryName>,
    /// The API's address, for GitHub Enterprise Server: https://HOST/api/v3. Without it, SELFEXT_GITHUB_URL, else GitHub's.
    #[arg(long, value_name = "URL", requires = "github", conflicts_with = "local")]
    pub github_url: Option<String>,
    /// Where git fetches the repository from, if not from https://HOST/OWNER/NAME.git of the API's host.
    #[arg(long, value_name = "URL", requires = "github", conflicts_with = "local")]
    pub git_url: Option<String>,
    /// A repository on this machine, bare or not. A clean checkout of the base branch follows what lands.
    #[arg(long, value_name = "PATH", group = "place")]
    pub local: Option<PathBuf>,
    /// The branch that changes land on.
    #[arg(long, value_name = "BRANCH", default_value = "main", requires = "place")]
    pub base: BranchName,
}

/// What changes.
#[derive(Args, Debug)]
#[command(next_help_heading = "The change")]
pub struct Change {
    /// What the change is for; its first line becomes the pull request's title.
    #[arg(long, value_name = "TEXT", required_unless_present = "stdin", conflicts_with = "stdin")]
    pub message: Option<String>,
    /// Write PATH in the repository with what the file FROM holds. May be repeated.
    #[arg(long = "file", value_name = "PATH=FROM")]
    pub files: Vec<String>,
    /// Delete PATH in the repository. May be repeated.
    #[arg(long = "delete", value_name = "PATH")]
    pub deletes: Vec<RepoPath>,
    /// The changes of a patch, which must apply to the commit that is checked out in --in.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["worktree", "stdin"])]
    pub patch: Option<PathBuf>,
    /// The uncommitted changes of the worktree in --in, new files included, ignored ones not.
    #[arg(long, conflicts_with = "stdin")]
    pub worktree: bool,
    /// The folder of --patch and --worktree; by default the --local repository, else this folder.
    #[arg(long = "in", value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// A change set in JSON from standard input: {"message", "context": {"tool_name"}, "files": [{"path", "content" |
    /// "content_base64" | "delete": true, "executable"?}]}
    #[arg(long, conflicts_with_all = ["files", "deletes"])]
    pub stdin: bool,
}

/// Where in the agent's work the change was made.
#[derive(Args, Debug)]
#[command(next_help_heading = "Where in the agent's work it was made, for the ledger")]
pub struct Context {
    /// The tool that made the change.
    #[arg(long, default_value = "selfext-cli", value_name = "NAME")]
    pub tool: String,
    /// The call of that tool.
    #[arg(long, value_name = "ID")]
    pub tool_call: Option<String>,
    /// The goal it serves.
    #[arg(long, value_name = "ID")]
    pub goal: Option<String>,
    /// The cycle in which it was made.
    #[arg(long, value_name = "ID")]
    pub cycle: Option<String>,
    /// The part of the goal it serves.
    #[arg(long, value_name = "ID")]
    pub sub_goal: Option<String>,
    /// What kind of actor asks for it.
    #[arg(long, value_name = "WORD")]
    pub actor: Option<String>,
}

impl Target {
    /// Whether a repository is named, where that is left to choose.
    pub const fn is_named(&self) -> bool {
        self.github.is_some() || self.local.is_some()
    }

    /// The options that name it again, for a shell.
    pub fn words(&self) -> String {
        let place = match (&self.github, &self.local) {
            (Some(repository), _) => format!("--github {repository}"),
            (None, Some(path)) => format!("--local {}", quoted(&path.to_string_lossy())),
            (None, None) => String::new(),
        };
        if self.base.as_str() == "main" { place } else { format!("{place} --base {}", quoted(self.base.as_str())) }
    }
}

/// A word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A path that leads to the same place whatever folder it is said in.
fn absolute(text: &str) -> Result<PathBuf, &'static str> {
    let path = PathBuf::from(text);
    // Between two colons, or in an empty variable, there is none.
    if path.is_absolute() || text.is_empty() { Ok(path) } else { Err("it is no absolute path") }
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
