//! Running stages one after another.

use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::pin::pin;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use selfext_domain::ports::VerifierError;
use selfext_domain::{Candidate, Keep, RedactedText, RunId, StageReport, StageResult, StageRules, TextCap};
use tokio::net::unix::pipe::Receiver;

use super::worktree::Worktree;
use super::{StageEnvironment, walls};
use crate::cache::Repository;
use crate::error::unavailable_by;
use crate::process::{Running, Tail};

/// How long output is still read after the stage has ended and its group is killed. Only a process that left the group can
/// hold the pipe open that long.
const DRAIN: Duration = Duration::from_secs(1);

/// Runs stages on a candidate until one does not pass.
pub(crate) async fn run_stages(
    repository: &Repository,
    runs: &Path,
    environment: &StageEnvironment,
    run: &RunId,
    candidate: &Candidate,
    stages: &[StageRules],
) -> Result<Vec<StageReport>, VerifierError> {
    // Declared before any process is started, so that it is dropped after all of them.
    let worktree = Worktree::check_out(repository, &candidate.tree, run, runs).await?;
    let mut reports = Vec::new();
    for stage in stages {
        let report = run_stage(&worktree, environment, stage).await?;
        let passed = report.result.passed();
        reports.push(report);
        if !passed {
            break;
        }
    }
    worktree.remove().await;
    Ok(reports)
}

async fn run_stage(
    worktree: &Worktree,
    environment: &StageEnvironment,
    stage: &StageRules,
) -> Result<StageReport, VerifierError> {
    let failed = |error| unavailable_by(&format!("the stage {:?} cannot be run", stage.name), error);
    let (command, pipe) = prepare(worktree, environment, stage).map_err(failed)?;
    let mut pipe = Receiver::from_owned_fd(pipe).map_err(failed)?;
    let began = Instant::now();
    let mut tail = Tail::new(stage.output_limit);
    let mut note = None;
    let result = match Running::start(command) {
        Ok(running) => {
            let status = watch(running, &mut pipe, &mut tail, stage.timeout).await.map_err(failed)?;
            status.map_or(StageResult::TimedOut, result_of)
        }
        Err(error) if is_of_the_machine(&error) => return Err(failed(error)),
        Err(error) => {
            let program = stage.command.first().map_or("", String::as_str);
            note = Some(format!("the program {program:?} could not be started: {error}"));
            StageResult::CouldNotStart
        }
    };
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let output_bytes = tail.total();
    let redacting = tokio::task::spawn_blocking(move || redacted(tail, note));
    let output = redacting.await.map_err(|error| failed(io::Error::other(error)))?;
    Ok(StageReport { name: stage.name.clone(), result, duration_ms, output_bytes, output })
}

/// The command of a stage, and the end of the pipe where all its output arrives in the order in which it was written.
fn prepare(worktree: &Worktree, environment: &StageEnvironment, stage: &StageRules) -> io::Result<(Command, OwnedFd)> {
    let (program, arguments) = stage.command.split_first().ok_or(ErrorKind::InvalidInput)?;
    let (reader, writer) = io::pipe()?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(&worktree.files).env_clear();
    command.envs(environment.variables(&worktree.home, &worktree.temporary, worktree.folder()));
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    walls::raise(&mut command)?;
    Ok((command, reader.into()))
}

/// Waits until the stage has ended, and kills what is left of its group; `None` if it was ended because its time was over.
async fn watch(
    running: Running,
    pipe: &mut Receiver,
    tail: &mut Tail,
    time: Duration,
) -> io::Result<Option<ExitStatus>> {
    let mut reading = pin!(tail.read(pipe));
    let mut at_end = false;
    let in_time = {
        let mut ended = pin!(tokio::time::timeout(time, running.ended()));
        loop {
            tokio::select! {
                outcome = &mut ended => break outcome,
                read = &mut reading, if !at_end => {
                    read?;
                    at_end = true;
                }
            }
        }
    };
    let status = running.finish()?;
    if !at_end {
        // What was read so far is kept if this takes too long.
        if let Ok(read) = tokio::time::timeout(DRAIN, reading).await {
            read?;
        }
    }
    match in_time {
        Ok(ended) => ended.map(|()| Some(status)),
        Err(_) => Ok(None),
    }
}

fn result_of(status: ExitStatus) -> StageResult {
    if status.success() {
        StageResult::Passed
    } else {
        StageResult::Failed { exit_code: status.code(), signal: status.signal() }
    }
}

/// Whether a program could not be started for want of something that the machine lacks for every program.
fn is_of_the_machine(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let lacking = [Errno::AGAIN, Errno::NOMEM, Errno::MFILE, Errno::NFILE];
    error.kind() == ErrorKind::OutOfMemory
        || lacking.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// What is kept of an output, or of a note that stands in its place.
fn redacted(tail: Tail, note: Option<String>) -> RedactedText {
    let cap = TextCap { max_bytes: tail.limit(), keep: Keep::Tail };
    let whole = tail.is_whole();
    let bytes = note.map_or_else(|| tail.into_bytes(), String::into_bytes);
    if whole { RedactedText::from_output(&bytes, cap) } else { RedactedText::from_truncated_output(&bytes, cap) }
}
