//! Ending early, when the terminal or a supervisor asks for it.

use std::future::Future;

use anyhow::{Context as _, Result, bail};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask this process to end. From [`Interrupt::listen`] on they do not end it by themselves.
pub struct Interrupt {
    interrupt: Signal,
    terminate: Signal,
}

impl Interrupt {
    pub fn listen() -> Result<Self> {
        let listen = |kind| signal(kind).context("signals cannot be listened for");
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// Waits for one of them.
    pub async fn came(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Does work that may be dropped at any moment: when a signal comes it is, and with it go the processes that it started.
///
/// # Errors
/// The work's own; what a signal leaves behind, in the words of `left`.
pub async fn unless_interrupted<T>(left: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    let mut interrupt = Interrupt::listen()?;
    tokio::select! {
        result = Box::pin(work) => result,
        () = interrupt.came() => bail!("interrupted; {left}"),
    }
}
