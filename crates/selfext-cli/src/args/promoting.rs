//! What agents type: which change goes where.
#![expect(clippy::doc_markdown, reason = "these comments are the help's text")]

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use selfext::{BranchName, RepoPath, RepositoryName, RunId};

use super::quoted;

pub(super) const USAGE: &str = "\
selfext promote <--github <OWNER/NAME>|--local <PATH>> --message <TEXT> [--file <PATH=FROM>] [--delete <PATH>] [--patch <FILE>|--worktree]
       selfext promote <--github <OWNER/NAME>|--local <PATH>> --stdin";

pub(super) const EXAMPLES: &str = "\
Examples:
  selfext promote --local . --message 'Say why' --worktree
  selfext promote --github OWNER/NAME --message 'Say why' --file src/x.rs=./x.rs --delete old.rs
  agent | selfext promote --github OWNER/NAME --stdin --json

The same change may be promoted again at any time: its run goes on where it stopped, or is reported.
A change says what its files hold, so --worktree and --patch want a checkout that is up to date with the base branch.
The exit code tells how the run stands: see `selfext --help`.";

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

/// Which repository and branch.
#[derive(Args, Debug)]
#[command(next_help_heading = "The repository", group(ArgGroup::new("place").required(true)))]
pub struct Target {
    /// A repository on GitHub, with the token in SELFEXT_GITHUB_TOKEN, GITHUB_TOKEN or GH_TOKEN, or with a GitHub App.
    #[arg(long, value_name = "OWNER/NAME", group = "place")]
    pub github: Option<RepositoryName>,
    /// The API's address, for GitHub Enterprise Server: https://HOST/api/v3. Without it, SELFEXT_GITHUB_URL, else GitHub's.
    #[arg(long, value_name = "URL", requires = "github", conflicts_with = "local")]
    pub github_url: Option<String>,
    /// How many requests of GitHub's hour are left to others who use the same token: where fewer remain, selfext waits.
    #[arg(long, value_name = "N", env = "SELFEXT_GITHUB_RESERVE")]
    pub github_reserve: Option<u64>,
    /// How many requests a minute may change something on GitHub; 60 by default.
    #[arg(long, value_name = "N", env = "SELFEXT_GITHUB_WRITES", value_parser = clap::value_parser!(u32).range(1..=80))]
    pub github_writes: Option<u32>,
    /// Where git fetches the repository from, if not from https://HOST/OWNER/NAME.git of the API's host.
    #[arg(long, value_name = "URL", requires = "github", conflicts_with = "local")]
    pub git_url: Option<String>,
    /// The GitHub App that selfext acts as, instead of a token: its id or client id. Without it, SELFEXT_GITHUB_APP_ID.
    #[arg(long, value_name = "ID", requires = "github", conflicts_with = "local")]
    pub github_app_id: Option<String>,
    /// The file of the App's private key, as GitHub gives it. Without it, SELFEXT_GITHUB_APP_KEY_FILE, or the key itself in
    /// SELFEXT_GITHUB_APP_KEY.
    #[arg(long, value_name = "FILE", requires = "github", conflicts_with = "local")]
    pub github_app_key_file: Option<PathBuf>,
    /// The repository's number at GitHub: another repository under its name is refused. Without it, SELFEXT_GITHUB_REPOSITORY_ID,
    /// else whatever the name leads to.
    #[arg(long, value_name = "NUMBER", requires = "github", conflicts_with = "local")]
    pub repository_id: Option<u64>,
    /// A repository on this machine, bare or not. A clean checkout of the base branch follows what lands.
    #[arg(long, value_name = "PATH", group = "place")]
    pub local: Option<PathBuf>,
    /// The branch that changes land on.
    #[arg(long, value_name = "BRANCH", default_value = "main", requires = "place")]
    pub base: BranchName,
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

/// A path that leads to the same place whatever folder it is said in.
fn absolute(text: &str) -> Result<PathBuf, &'static str> {
    let path = PathBuf::from(text);
    // Between two colons, or in an empty variable, there is none.
    if path.is_absolute() || text.is_empty() { Ok(path) } else { Err("it is no absolute path") }
}
