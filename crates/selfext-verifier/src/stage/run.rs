//! Running stages one after another.

use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use selfext_domain::ports::VerifierError;
use selfext_domain::{
    Candidate, Category, Isolation, Keep, RedactedText, RunId, StageReport, StageResult, StageRules, TextCap,
    WallReport, redact,
};
use tokio::net::unix::pipe::Receiver;
use tokio::sync::OnceCell;

use super::StageEnvironment;
use super::on_base::{Outcome, put_down, split};
use super::outcome::result_of;
use super::walls::{Guarded, Machine, ReadPlaces};
use super::watch::{Watched, watch};
use super::worktree::Worktree;
use crate::WithoutWalls;
use crate::cache::Repository;
use crate::error::{unavailable, unavailable_by, words};
use crate::prepared::Store;
use crate::process::{Running, Tail};

/// Where a run has its folders, and what it can build on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ground<'a> {
    pub(crate) repository: &'a Repository,
    pub(crate) runs: &'a Path,
    pub(crate) prepared: &'a Store,
}

/// What stages run with, whatever the candidate.
#[derive(Debug)]
pub(crate) struct Stages {
    pub(crate) environment: StageEnvironment,
    pub(crate) places: ReadPlaces,
    pub(crate) without: WithoutWalls,
    machine: OnceCell<Machine>,
}

impl Stages {
    pub(crate) const fn new(environment: StageEnvironment, places: ReadPlaces, without: WithoutWalls) -> Self {
        Self { environment, places, without, machine: OnceCell::const_new() }
    }

    /// Runs stages on a candidate until one does not pass.
    pub(crate) async fn run(
        &self,
        ground: Ground<'_>,
        run: &RunId,
        candidate: &Candidate,
        stages: &[StageRules],
    ) -> Result<Vec<StageReport>, VerifierError> {
        let Some(most) = stages.iter().map(|stage| stage.limits.disk_bytes).max() else {
            return Ok(Vec::new());
        };
        // Declared before any process is started, so that it is dropped after all of them.
        let worktree = Worktree::check_out(ground.repository, &candidate.tree, run, ground.runs, most).await?;
        let machine = self.machine.get_or_init(async || self.probe(&worktree)).await;
        demand_walls(machine, stages)?;
        let (on_base, stages) = split(candidate, stages);
        let mut reports = Vec::new();
        let prepared = self.prepare_on_base(machine, ground, run, candidate, on_base, &mut reports).await?;
        let worktree = match prepared {
            Outcome::Nothing => worktree,
            Outcome::Prepared(layer) => match put_down(layer, worktree).await? {
                Ok(worktree) => worktree,
                Err(taken) => {
                    // The last of them is the one whose work cannot be used.
                    if let (Some(last), Some(stage)) = (reports.last_mut(), on_base.last()) {
                        *last = could_not_start(stage, machine.walls(stage), &taken.words());
                    }
                    return Ok(reports);
                }
            },
            Outcome::Failed => {
                worktree.remove().await;
                return Ok(reports);
            }
        };
        for stage in stages {
            let report = self.run_stage(machine, &worktree, stage).await?;
            let passed = report.result.passed();
            reports.push(report);
            if !passed {
                break;
            }
        }
        worktree.remove().await;
        Ok(reports)
    }

    fn probe(&self, worktree: &Worktree) -> Machine {
        let WithoutWalls { namespaces, landlock, control_groups } = self.without;
        let machine = Machine::probe(&worktree.surroundings(self.places.paths()));
        machine.without(namespaces, landlock, control_groups)
    }

    pub(super) async fn run_stage(
        &self,
        machine: &Machine,
        worktree: &Worktree,
        stage: &StageRules,
    ) -> Result<StageReport, VerifierError> {
        let failed = |error| unavailable_by(&format!("the stage {:?} cannot be run", stage.name), error);
        let around = worktree.surroundings(self.places.paths());
        let (mut command, pipe) = self.prepare(worktree, stage).map_err(failed)?;
        let mut guarded = machine.guard(&mut command, stage, &around).map_err(failed)?;
        let mut pipe = Receiver::from_owned_fd(pipe).map_err(failed)?;
        let began = Instant::now();
        let mut tail = Tail::new(stage.output_limit);
        let mut note = None;
        let result = match Running::start_kept(command, guarded.take_lifeline()) {
            Ok(running) => {
                let folders = around.writable().map(Path::to_owned);
                let watched =
                    watch(running, &mut guarded, &mut pipe, &mut tail, stage, folders).await.map_err(failed)?;
                self.sweep_after(&watched, worktree).await;
                result_of(&watched, &guarded, &stage.limits)
            }
            Err(error) => {
                if let Some(why) = guarded.not_raised().map_err(failed)? {
                    return Err(unavailable(&format!(
                        "the walls around stage {:?} cannot be raised: {why}",
                        stage.name
                    )));
                }
                if is_of_the_machine(&error) {
                    return Err(failed(error));
                }
                let program = stage.command.first().map_or("", String::as_str);
                note = Some(format!("the program {program:?} could not be started: {error}"));
                StageResult::CouldNotStart
            }
        };
        let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        drop_off_the_executor(guarded).await;
        let output_bytes = tail.total();
        let redacting = tokio::task::spawn_blocking(move || redacted(tail, note));
        let output = redacting.await.map_err(|error| failed(io::Error::other(error)))?;
        let ran = Ran { result, duration_ms, output_bytes, output };
        Ok(report(stage, machine.walls(stage), ran))
    }

    /// The command of a stage, and the end of the pipe where all its output arrives in the order in which it was written.
    fn prepare(&self, worktree: &Worktree, stage: &StageRules) -> io::Result<(Command, OwnedFd)> {
        let (program, arguments) = stage.command.split_first().ok_or(ErrorKind::InvalidInput)?;
        let (reader, writer) = io::pipe()?;
        let mut command = Command::new(program);
        command.args(arguments).env_clear();
        let own = self.environment.variables(&worktree.home, &worktree.temporary, worktree.folder());
        command.envs(self.environment.passing(&stage.environment)).envs(own);
        command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
        Ok((command, reader.into()))
    }

    /// If the keeper itself was ended, what it kept may live on.
    async fn sweep_after(&self, watched: &Watched, worktree: &Worktree) {
        if watched.ended.is_none() {
            let folder: PathBuf = worktree.folder().to_owned();
            let _ = tokio::task::spawn_blocking(move || crate::run_folder::end_strays(&folder)).await;
        }
    }
}

/// Refuses to run where the rules require walls that are missing.
fn demand_walls(machine: &Machine, stages: &[StageRules]) -> Result<(), VerifierError> {
    let mut missing: Vec<String> = Vec::new();
    for stage in stages.iter().filter(|stage| stage.isolation == Isolation::Required) {
        for wall in machine.walls(stage).iter().filter(|wall| wall.missing().is_some()) {
            let text = wall.to_string();
            if !missing.contains(&text) {
                missing.push(text);
            }
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(VerifierError::WallsMissing { detail: words(&missing.join("; ")) }) }
}

/// Letting go of a control group can wait for processes that are being buried.
async fn drop_off_the_executor(guarded: Guarded) {
    let _ = tokio::task::spawn_blocking(move || drop(guarded)).await;
}

struct Ran {
    result: StageResult,
    duration_ms: u64,
    output_bytes: u64,
    output: RedactedText,
}

/// The report of a stage that was not started, with the reason in the place of its output.
pub(super) fn could_not_start(stage: &StageRules, walls: Vec<WallReport>, why: &str) -> StageReport {
    let output = RedactedText::from_text(why, TextCap { max_bytes: stage.output_limit, keep: Keep::Tail });
    report(stage, walls, Ran { result: StageResult::CouldNotStart, duration_ms: 0, output_bytes: 0, output })
}

fn report(stage: &StageRules, walls: Vec<WallReport>, ran: Ran) -> StageReport {
    let Ran { mut result, duration_ms, output_bytes, output } = ran;
    let mut must_match = None;
    if let Some(rule) = stage.must_match.as_ref().filter(|_| result.passed())
        && !rule.matches(output.as_str())
    {
        result = StageResult::OutputUnmatched;
        must_match = Some(redact(rule.as_str()).into_owned());
    }
    StageReport {
        name: stage.name.clone(),
        kind: stage.kind,
        command: stage.command.iter().map(|word| redact(word).into_owned()).collect(),
        result,
        category: Some(Category::of(stage.kind, result)),
        duration_ms,
        output_bytes,
        output,
        must_match,
        prepared: None,
        walls,
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
