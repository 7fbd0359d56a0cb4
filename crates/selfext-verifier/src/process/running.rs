//! A child process that leads a process group, which ends with it.

use std::io::{self, PipeWriter};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// How long a keeper may take to end what it keeps before it is killed itself.
const KEEPER: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(1);

/// A child process that leads a process group of its own.
///
/// When this value goes, in whatever way, the group has been killed and the child reaped. The group is always killed before
/// the child is reaped: until then no other process can get its id.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    group: Option<Pid>,
    /// While it is open, a keeper keeps what it has below it alive.
    lifeline: Option<PipeWriter>,
}

impl Running {
    /// Starts a command that makes its child the leader of a group.
    pub(crate) fn start(command: Command) -> io::Result<Self> {
        Self::start_kept(command, None)
    }

    /// Starts a command whose child is a keeper: it ends everything below it, and then itself, once its lifeline goes.
    pub(crate) fn start_kept(mut command: Command, lifeline: Option<PipeWriter>) -> io::Result<Self> {
        let child = command.spawn()?;
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        // The command goes here, and with it this process's ends of the child's pipes.
        Ok(Self { child, group, lifeline })
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// The child's process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the child has ended, and leaves it to be reaped. May be dropped and called again.
    pub(crate) async fn ended(&self) -> io::Result<()> {
        let Some(pid) = self.group else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        let waiting = tokio::task::spawn_blocking(move || {
            loop {
                match waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
                    Err(Errno::INTR) => {}
                    Err(error) => return Err(io::Error::from(error)),
                    Ok(_) => return Ok(()),
                }
            }
        });
        waiting.await.map_err(io::Error::other)?
    }

    /// Kills the whole group and reaps the child, whose own status it answers if it had ended before.
    pub(crate) fn finish(mut self) -> io::Result<ExitStatus> {
        self.end()
    }

    fn end(&mut self) -> io::Result<ExitStatus> {
        if let Some(group) = self.group.take() {
            if self.lifeline.take().is_some()
                && let Some(status) = self.await_keeper()?
            {
                return Ok(status);
            }
            // Only a group without any member, or of another user, cannot be killed; the first is what we want.
            let _ = kill_process_group(group, Signal::KILL);
        }
        self.child.wait()
    }

    /// Waits a while for a keeper whose lifeline was cut.
    fn await_keeper(&mut self) -> io::Result<Option<ExitStatus>> {
        let began = Instant::now();
        while began.elapsed() < KEEPER {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(status));
            }
            std::thread::sleep(PAUSE);
        }
        tracing::warn!("what a stage left behind does not end; its keeper is killed");
        Ok(None)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.group.is_some() {
            let _ = self.end();
        }
    }
}
