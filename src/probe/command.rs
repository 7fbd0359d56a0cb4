//! Asking a program how an agent is.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, ChildStdout, Command};

use super::{Look, MOST, answer};

/// What a program gets of this process's variables.
const KEPT: &[&str] = &["PATH", "HOME", "LANG"];

/// How often it is looked whether the program has ended.
const PAUSE: Duration = Duration::from_millis(10);

/// How long what a program had written is waited for after its end, where something that it started elsewhere holds its output.
const LEFT: Duration = Duration::from_millis(200);

/// Runs one program, in this process's folder.
#[derive(Debug)]
pub(super) struct CommandProbe {
    command: Vec<String>,
}

impl CommandProbe {
    pub(super) const fn new(command: Vec<String>) -> Self {
        Self { command }
    }

    pub(super) async fn ask(&self) -> Look {
        match self.run().await {
            Ok((_, output)) if output.len() > MOST => answer::too_long(),
            Ok((status, output)) => {
                let unwell = (!status.success()).then(|| match status.code() {
                    Some(code) => format!("exit code {code}"),
                    None => status.to_string(),
                });
                answer::read(&output, unwell.as_deref())
            }
            Err(error) => Look::nothing(&format!("the program could not be run: {error}")),
        }
    }

    async fn run(&self) -> io::Result<(ExitStatus, Vec<u8>)> {
        let (mut group, mut stdout) = Group::start(&self.command)?;
        let mut output = Vec::new();
        let whole = tokio::select! {
            read = read_into(&mut stdout, &mut output) => read.map(|()| true)?,
            ended = group.ended() => ended.map(|()| false)?,
        };
        // A program that said too much is not waited for.
        if whole && output.len() <= MOST {
            group.ended().await?;
        }
        let status = group.finish().await?;
        if !whole {
            // Everything in the group is gone and has closed its output.
            let _ = tokio::time::timeout(LEFT, read_into(&mut stdout, &mut output)).await;
        }
        Ok((status, output))
    }
}

/// Reads to the end, or until it is too much. May be dropped at any time: what was read is kept.
async fn read_into(stdout: &mut ChildStdout, output: &mut Vec<u8>) -> io::Result<()> {
    while output.len() <= MOST {
        if stdout.read_buf(output).await? == 0 {
            break;
        }
    }
    Ok(())
}

/// A program that leads a process group, which is killed before the program is reaped: until then nothing else has its id.
struct Group {
    child: Child,
    id: Option<Pid>,
}

impl Group {
    fn start(command: &[String]) -> io::Result<(Self, ChildStdout)> {
        let (program, arguments) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let mut command = Command::new(program);
        command.args(arguments).env_clear().process_group(0);
        command.envs(KEPT.iter().filter_map(|name| std::env::var_os(name).map(|value| (name, value))));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let stdout = child.stdout.take();
        let group = Self { child, id };
        stdout.map(|stdout| (group, stdout)).ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }

    /// Waits until the program has ended, and leaves it to be reaped. May be dropped and called again.
    async fn ended(&self) -> io::Result<()> {
        let Some(id) = self.id else { return Ok(()) };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        while waitid(WaitId::Pid(id), options)?.is_none() {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Ends everything in the group, and answers how the program had ended.
    async fn finish(&mut self) -> io::Result<ExitStatus> {
        self.kill();
        self.child.wait().await
    }

    fn kill(&mut self) {
        if let Some(id) = self.id.take() {
            // Only a group without any member, or of another user, cannot be killed; the first is what we want.
            let _ = kill_process_group(id, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // tokio reaps the program afterwards.
        self.kill();
    }
}
