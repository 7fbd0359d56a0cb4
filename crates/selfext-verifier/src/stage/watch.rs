//! Watching a stage until it ends, or must be ended.

use std::io;
use std::path::PathBuf;
use std::pin::pin;
use std::process::ExitStatus;
use std::time::Duration;

use selfext_domain::{Limit, StageRules};
use tokio::net::unix::pipe::Receiver;

use super::walls::{Ended, Guarded};
use super::{disk, memory};
use crate::process::{Running, Tail};

/// How long output is still read after the stage has ended and everything of it is ended. Only a process that escaped can hold
/// the pipe open that long.
const DRAIN: Duration = Duration::from_secs(1);

/// Why a stage was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    TimeOut,
    Limit(Limit),
}

/// How it went.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watched {
    /// Why it was ended, if it did not end by itself.
    pub(super) cut: Option<Cut>,
    /// How its main process ended, if that could be told.
    pub(super) ended: Option<Ended>,
    /// How the process ended that selfext started.
    pub(super) status: ExitStatus,
}

/// Waits until the stage has ended, and ends what is left of it.
pub(super) async fn watch(
    running: Running,
    guarded: &mut Guarded,
    pipe: &mut Receiver,
    tail: &mut Tail,
    stage: &StageRules,
    folders: [PathBuf; 4],
) -> io::Result<Watched> {
    let limit = stage.limits.output_bytes;
    let mut reading = pin!(tail.read_at_most(pipe, limit));
    let mut at_end = false;
    let cut = {
        let mut ended = pin!(running.ended());
        let mut time = pin!(tokio::time::sleep(stage.timeout));
        let mut heavy = pin!(memory::until_over(running.id(), guarded.keepers(), stage.limits.memory_bytes));
        let mut full = pin!(disk::until_full(folders, stage.limits.disk_bytes));
        loop {
            tokio::select! {
                outcome = &mut ended => {
                    outcome?;
                    break None;
                }
                () = &mut time => break Some(Cut::TimeOut),
                () = &mut heavy => break Some(Cut::Limit(Limit::Memory)),
                () = &mut full => break Some(Cut::Limit(Limit::Disk)),
                read = &mut reading, if !at_end => {
                    at_end = true;
                    if !read? {
                        break Some(Cut::Limit(Limit::Output));
                    }
                }
            }
        }
    };
    let status = running.finish()?;
    let mut over = false;
    if !at_end {
        // What was read so far is kept if this takes too long.
        if let Ok(read) = tokio::time::timeout(DRAIN, reading).await {
            over = !read?;
        }
    }
    let cut = cut.or(over.then_some(Cut::Limit(Limit::Output)));
    Ok(Watched { cut, ended: guarded.ended()?, status })
}
