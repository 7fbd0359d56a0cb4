//! Starts `git` with an environment of the twin's own making.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use tokio::process::Command;

use super::{EMPTY_TREE, GitError};

/// Settings given on the command line, where they beat the repository's own: no hooks, no monitors, and no
/// housekeeping behind the twin's back.
const OVERRIDES: [&str; 5] =
    ["core.hooksPath=/dev/null", "core.fsmonitor=false", "gc.auto=0", "maintenance.auto=false", "core.quotePath=false"];

/// Knows the git directory and how to start git on it.
#[derive(Clone)]
pub(super) struct Launcher {
    directory: PathBuf,
}

impl Launcher {
    /// Finds the git directory of `path` without ever looking above `path`.
    pub(super) async fn discover(path: &Path) -> Result<PathBuf, GitError> {
        let path = std::path::absolute(path).map_err(GitError::Spawn)?;
        let mut command = bare_command();
        command
            .args(["-c", "safe.directory=*", "rev-parse", "--path-format=absolute"])
            .args(["--git-common-dir", "--show-object-format"])
            .current_dir(&path);
        if let Some(parent) = path.parent() {
            command.env("GIT_CEILING_DIRECTORIES", parent);
        }
        let output = command.output().await.map_err(GitError::Spawn)?;
        let text = succeeded("rev-parse", output)?;
        let text = String::from_utf8_lossy(&text);
        let (directory, format) =
            text.trim_end().rsplit_once('\n').ok_or_else(|| GitError::unexpected("rev-parse", text.as_bytes()))?;
        if format != "sha1" {
            return Err(GitError::ObjectFormat(format.to_owned()));
        }
        Ok(PathBuf::from(directory))
    }

    /// Starts git on this git directory.
    pub(super) fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    /// The git directory.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// A command on the repository; its process dies with the future that waits for it.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = bare_command();
        command.args(arguments).current_dir(&self.directory).env("GIT_DIR", &self.directory);
        command
    }

    /// Runs a command to its end, whatever its exit code.
    pub(super) async fn answer(&self, arguments: &[&str]) -> Result<Output, GitError> {
        self.command(arguments).output().await.map_err(GitError::Spawn)
    }

    /// Runs a command that must succeed and gives what it printed.
    pub(super) async fn run(&self, arguments: &[&str]) -> Result<Vec<u8>, GitError> {
        let output = self.answer(arguments).await?;
        succeeded(arguments.first().copied().unwrap_or_default(), output)
    }
}

/// The output of a command that must have succeeded.
pub(super) fn succeeded(command: &str, output: Output) -> Result<Vec<u8>, GitError> {
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(GitError::Failed {
        command: command.to_owned(),
        status: output.status.to_string(),
        stderr: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

/// `git` with nothing of the caller's environment but the search path: no home, no global or system settings, no
/// prompts, no replaced objects, no attributes (a merge driver is a program), and a fixed identity for reflogs.
fn bare_command() -> Command {
    let kept: Vec<(&str, OsString)> = ["PATH", "SYSTEMROOT"]
        .into_iter()
        .filter_map(|name| std::env::var_os(name).map(|value| (name, value)))
        .collect();
    // One that is still to be looked for would be started by a fork, which copies the page tables of the whole process.
    let mut command = Command::new(which::which("git").unwrap_or_else(|_| "git".into()));
    command
        .env_clear()
        .envs(kept)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_ATTR_NOSYSTEM", "1")
        .env("GIT_ATTR_SOURCE", EMPTY_TREE)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_NO_REPLACE_OBJECTS", "1")
        .env("GIT_AUTHOR_NAME", "selfext-twin")
        .env("GIT_AUTHOR_EMAIL", "twin@selfext.invalid")
        .env("GIT_COMMITTER_NAME", "selfext-twin")
        .env("GIT_COMMITTER_EMAIL", "twin@selfext.invalid")
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    for setting in OVERRIDES {
        command.args(["-c", setting]);
    }
    command
}
