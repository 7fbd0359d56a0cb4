//! Runs a command under a Postgres server for tests: `with-postgres COMMAND [ARGUMENT]...`
//!
//! Finds or starts a server as [`TestServer`] says, tells in one line which one it is, and runs the command with
//! `SELFEXT_TEST_DATABASE_URL` set, and with what lets tests run fast. Ends with the command's exit code, and leaves nothing
//! behind, also when it is interrupted or the command fails.

use std::{
    env,
    ffi::OsString,
    io,
    num::NonZero,
    os::unix::process::ExitStatusExt,
    process::{ExitCode, ExitStatus},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use selfext_contracts::TestServer;
use tokio::{
    process::{Child, Command},
    signal::unix::{self, SignalKind},
    time::timeout,
};

/// How long a command that was told to end may take before it is killed.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    if arguments.is_empty() {
        eprintln!("usage: with-postgres COMMAND [ARGUMENT]...");
        return ExitCode::from(2);
    }
    match run(&arguments).await {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("with-postgres: {error}");
            for cause in error.chain().skip(1) {
                eprintln!("  {cause}");
            }
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &[OsString]) -> Result<u8> {
    let mut interruptions = Interruptions::listen().context("cannot listen for signals")?;
    let name = format!("selfext-test-{}", std::process::id());

    let found = tokio::select! {
        found = TestServer::find(&name) => found?,
        signal = interruptions.next() => {
            TestServer::clean_up(&name).await;
            return Ok(code_of(signal));
        }
    };
    println!("the tests run on {found}");

    let outcome = run_under(&found, arguments, &mut interruptions).await;
    let stopped = found.stop().await.context("the server stays behind");
    let code = outcome?;
    stopped.map(|()| code)
}

async fn run_under(server: &TestServer, arguments: &[OsString], interruptions: &mut Interruptions) -> Result<u8> {
    let (program, arguments) = arguments.split_first().context("no command was given")?;
    // A process group of its own: a signal that reaches this process alone must reach all that the command started.
    let mut child = Command::new(program)
        .args(arguments)
        .envs(server.environment())
        // The stages of verifications are forked off the tests, and a fork copies page tables for all that the threads of an
        // allocator keep to themselves.
        .env("MALLOC_ARENA_MAX", "1")
        .env("RUST_TEST_THREADS", test_threads())
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let group = child.id().and_then(|id| Pid::from_raw(id.cast_signed())).context("the command has no process id")?;

    tokio::select! {
        status = child.wait() => Ok(code_from(status?)),
        signal = interruptions.next() => {
            end(&mut child, group, signal).await?;
            Ok(code_of(signal))
        }
    }
}

/// How many tests run at once, unless the caller says it: they wait for servers, other processes and pauses about as long as they compute.
fn test_threads() -> OsString {
    env::var_os("RUST_TEST_THREADS").unwrap_or_else(|| {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        (2 * cores).to_string().into()
    })
}

/// Passes a signal on to the whole group, and kills what does not heed it.
async fn end(child: &mut Child, group: Pid, signal: Signal) -> Result<()> {
    // An error means that no one is left in the group.
    let _ = kill_process_group(group, signal);
    let ended = timeout(PATIENCE, child.wait()).await;
    // What the command started may outlive it.
    let _ = kill_process_group(group, Signal::KILL);
    match ended {
        Ok(status) => status,
        Err(_) => child.wait().await,
    }
    .map(|_| ())
    .context("cannot wait for the command")
}

/// The signals that ask this process to end.
struct Interruptions {
    interrupt: unix::Signal,
    terminate: unix::Signal,
    hang_up: unix::Signal,
}

impl Interruptions {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: unix::signal(SignalKind::interrupt())?,
            terminate: unix::signal(SignalKind::terminate())?,
            hang_up: unix::signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::INT,
            _ = self.terminate.recv() => Signal::TERM,
            _ = self.hang_up.recv() => Signal::HUP,
        }
    }
}

/// The exit code that shells give to a program that a signal ended.
fn code_of(signal: Signal) -> u8 {
    u8::try_from(128 + signal.as_raw()).unwrap_or(u8::MAX)
}

fn code_from(status: ExitStatus) -> u8 {
    status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(u8::MAX)
}
