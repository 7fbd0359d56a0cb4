//! One call of git: its input, its limits, its answer.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use selfext_domain::ports::VerifierError;
use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::pipe::{Receiver, Sender};

use crate::error::{unavailable, unavailable_by};
use crate::process::{Running, Tail};

const TIME_LIMIT: Duration = Duration::from_mins(1);
/// Room for the list of a million files.
const OUTPUT_LIMIT: usize = 256 << 20;
const MESSAGE_LIMIT: usize = 16 << 10;

/// One call of git. Dropping its future kills git and what it started.
#[derive(Debug)]
pub(crate) struct GitCall {
    what: &'static str,
    command: Command,
    input: Vec<u8>,
    time_limit: Duration,
    secrets: Vec<String>,
}

/// What git answered.
#[derive(Debug)]
pub(crate) struct GitAnswer {
    status: ExitStatus,
    output: Vec<u8>,
    message: String,
}

impl GitCall {
    pub(super) const fn new(what: &'static str, command: Command) -> Self {
        Self { what, command, input: Vec::new(), time_limit: TIME_LIMIT, secrets: Vec::new() }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    pub(crate) fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    pub(crate) const fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Takes a text out of everything that git says.
    pub(crate) fn hide(mut self, secret: impl Into<String>) -> Self {
        self.secrets.push(secret.into());
        self
    }

    /// What git wrote, if it succeeded.
    pub(crate) async fn output(self) -> Result<Vec<u8>, VerifierError> {
        let what = self.what;
        let answer = self.answer().await?;
        if answer.status.success() { Ok(answer.output) } else { Err(answer.failure(what)) }
    }

    /// Runs git to its end.
    pub(crate) async fn answer(self) -> Result<GitAnswer, VerifierError> {
        let what = self.what;
        let seconds = self.time_limit.as_secs();
        match tokio::time::timeout(self.time_limit, self.run()).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => {
                Err(unavailable_by(&format!("{what}: the git program was not found; install git"), error))
            }
            Ok(Err(error)) if error.kind() == io::ErrorKind::FileTooLarge => {
                Err(unavailable(&format!("{what}: git answers more than {} MiB", OUTPUT_LIMIT >> 20)))
            }
            Ok(Err(error)) => Err(unavailable_by(&format!("{what}: git could not be run"), error)),
            Err(_) => Err(unavailable(&format!("{what}: git took longer than {seconds} seconds"))),
        }
    }

    async fn run(self) -> io::Result<GitAnswer> {
        let Self { command, input, secrets, .. } = self;
        let mut running = Running::start(command)?;
        let child = running.child();
        let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let mut stdin = Sender::from_owned_fd(OwnedFd::from(stdin))?;
        let mut stdout = Receiver::from_owned_fd(OwnedFd::from(stdout))?;
        let mut stderr = Receiver::from_owned_fd(OwnedFd::from(stderr))?;
        let mut output = Tail::new(OUTPUT_LIMIT);
        let mut message = Tail::new(MESSAGE_LIMIT);
        let writing = async move {
            // git may end without having read everything; then its status and message say why.
            let _ = stdin.write_all(&input).await;
            Ok(())
        };
        // A tree can hold itself so often that its listing would never end. The first that fails ends git.
        let reading = async {
            let at_end = output.read_at_most(&mut stdout, OUTPUT_LIMIT as u64).await?;
            if at_end { Ok(()) } else { Err(io::Error::from(io::ErrorKind::FileTooLarge)) }
        };
        tokio::try_join!(writing, reading, message.read(&mut stderr), running.ended())?;
        let mut message = String::from_utf8_lossy(&message.into_bytes()).into_owned();
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            message = message.replace(secret.as_str(), "[REDACTED]");
        }
        Ok(GitAnswer { status: running.finish()?, output: output.into_bytes(), message })
    }
}

impl GitAnswer {
    pub(crate) fn succeeded(&self) -> bool {
        self.status.success()
    }

    /// The code with which it ended; `None` if a signal ended it.
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    pub(crate) fn into_output(self) -> Vec<u8> {
        self.output
    }

    /// What git said to people, in English.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn failure(&self, what: &str) -> VerifierError {
        let message = self.message.trim();
        unavailable(&format!("{what}: git ended with {}: {message}", self.status))
    }
}
