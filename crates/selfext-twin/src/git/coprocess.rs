//! A git process that is kept alive and asked again and again.

use std::io;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::{Mutex, MutexGuard};

use super::GitError;
use super::launcher::Launcher;

/// One kind of long-lived git process, started at its first use and again whenever it has gone away.
pub(super) struct Coprocess {
    name: &'static str,
    arguments: Vec<&'static str>,
    slot: Mutex<Option<Live>>,
}

struct Live {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    _child: Child,
}

/// The process, lent to one caller.
///
/// Unless [`keep`](Self::keep) is called the process is killed when the lease ends: a conversation that was broken
/// off, also by cancellation, would leave answers in the pipe for the next caller to mistake for its own.
pub(super) struct Lease<'a> {
    name: &'static str,
    slot: MutexGuard<'a, Option<Live>>,
    live: Live,
}

impl Coprocess {
    pub(super) fn new(name: &'static str, arguments: Vec<&'static str>) -> Self {
        Self { name, arguments, slot: Mutex::new(None) }
    }

    /// Waits for the process to be free and lends it.
    pub(super) async fn lease(&self, launcher: &Launcher) -> Result<Lease<'_>, GitError> {
        let mut slot = self.slot.lock().await;
        let live = match slot.take() {
            Some(live) => live,
            None => self.start(launcher)?,
        };
        Ok(Lease { name: self.name, slot, live })
    }

    fn start(&self, launcher: &Launcher) -> Result<Live, GitError> {
        let mut child = launcher
            .command(&self.arguments)
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(GitError::Spawn)?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => Ok(Live { input, output: BufReader::new(output), _child: child }),
            _ => Err(GitError::Spawn(io::ErrorKind::BrokenPipe.into())),
        }
    }
}

impl Lease<'_> {
    /// Ends the conversation in good order.
    pub(super) fn keep(mut self) {
        *self.slot = Some(self.live);
    }

    /// Writes one or more whole lines.
    pub(super) async fn say(&mut self, lines: &str) -> Result<(), GitError> {
        let written = self.live.input.write_all(lines.as_bytes()).await;
        written.map_err(|source| self.broken(source))
    }

    /// Reads one line without its end.
    pub(super) async fn line(&mut self) -> Result<String, GitError> {
        let mut line = Vec::new();
        let read = self.live.output.read_until(b'\n', &mut line).await;
        read.map_err(|source| self.broken(source))?;
        if line.pop() != Some(b'\n') {
            return Err(self.broken(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(String::from_utf8_lossy(&line).into_owned())
    }

    /// Reads exactly `length` bytes.
    pub(super) async fn bytes(&mut self, length: usize) -> Result<Vec<u8>, GitError> {
        let mut bytes = vec![0; length];
        let read = self.live.output.read_exact(&mut bytes).await;
        read.map_err(|source| self.broken(source))?;
        Ok(bytes)
    }

    fn broken(&self, source: io::Error) -> GitError {
        GitError::Broken { command: self.name, source }
    }
}
