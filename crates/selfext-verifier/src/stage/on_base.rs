//! Stages that prepare dependencies on the base.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use selfext_domain::ports::VerifierError;
use selfext_domain::{
    Candidate, Category, CommitSha, Digest32, OnBase, OutputRule, Prepared, RepoPath, RunId, StageReport, StageRules,
    TreeSha,
};
use serde_json::json;

use super::run::{Ground, Stages, could_not_start};
use super::walls::Machine;
use super::worktree::Worktree;
use crate::error::{blocking, unavailable_by};
use crate::prepared::{Found, InTheWay, Layer, Making, all_free};

const WHAT: &str = "prepared dependencies cannot be put into the worktree";

/// What the stages on the base came to. Their reports say how.
pub(super) enum Outcome {
    /// There are none.
    Nothing,
    /// All passed.
    Prepared(Arc<Layer>),
    /// The last did not pass.
    Failed,
}

/// The stages that run on the base, and those that run on the candidate: all from the first on that is about a path which the
/// candidate changes.
pub(super) fn split<'a>(candidate: &Candidate, stages: &'a [StageRules]) -> (&'a [StageRules], &'a [StageRules]) {
    let changed = |on_base: &OnBase| candidate.entries.iter().any(|(path, _)| on_base.is_about(path));
    let stays = |stage: &StageRules| stage.on_base.as_ref().is_some_and(|on_base| !changed(on_base));
    stages.split_at(stages.iter().take_while(|stage| stays(stage)).count())
}

impl Stages {
    /// Prepares what the stages on the base prepare, or finds it. Stops at the first that does not pass.
    pub(super) async fn prepare_on_base(
        &self,
        machine: &Machine,
        ground: Ground<'_>,
        run: &RunId,
        candidate: &Candidate,
        stages: &[StageRules],
        reports: &mut Vec<StageReport>,
    ) -> Result<Outcome, VerifierError> {
        let mut below: Option<Below> = None;
        for stage in stages {
            let Some(on_base) = &stage.on_base else { continue };
            let key = match self.key(ground, &candidate.base, stage, on_base, below.as_ref()).await? {
                Ok(key) => key,
                Err(missing) => {
                    let why = format!("the base holds no regular file {missing}, which on_base.lock_files names");
                    reports.push(could_not_start(stage, machine.walls(stage), &why));
                    return Ok(Outcome::Failed);
                }
            };
            let mut reused = true;
            let layer = loop {
                match ground.prepared.find(key).await? {
                    Found::Ready(layer) => break layer,
                    Found::ToMake(making) => {
                        reused = false;
                        let bench = Bench { machine, ground, run, base: &candidate.base_tree };
                        if let Err(report) = self.make(bench, stage, on_base, below.as_ref(), making).await? {
                            reports.push(StageReport { prepared: Some(Prepared { key, reused }), ..*report });
                            return Ok(Outcome::Failed);
                        }
                    }
                }
            };
            reports.push(StageReport {
                // What it is called may have changed since it was prepared.
                name: stage.name.clone(),
                kind: stage.kind,
                category: Some(Category::of(stage.kind, layer.report().result)),
                prepared: Some(Prepared { key, reused }),
                ..layer.report().clone()
            });
            below = Some(Below { key, layer: Arc::new(layer) });
        }
        Ok(below.map_or(Outcome::Nothing, |below| Outcome::Prepared(below.layer)))
    }

    /// What a layer is kept under, or the lock file that is missing.
    async fn key(
        &self,
        ground: Ground<'_>,
        base: &CommitSha,
        stage: &StageRules,
        on_base: &OnBase,
        below: Option<&Below>,
    ) -> Result<Result<Digest32, RepoPath>, VerifierError> {
        let mut lock_files = BTreeMap::new();
        for path in &on_base.lock_files {
            match ground.repository.find_regular_file(base, path).await? {
                Some((object, _)) => lock_files.insert(path.as_str(), object),
                None => return Ok(Err(path.clone())),
            };
        }
        let about = json!({
            "version": 1,
            "below": below.map(|below| below.key),
            "command": stage.command,
            "environment": self.environment.told(&stage.environment),
            "isolation": stage.isolation,
            "keep": on_base.keep.iter().map(RepoPath::as_str).collect::<Vec<_>>(),
            "lock_files": lock_files,
            "must_match": stage.must_match.as_ref().map(OutputRule::as_str),
            "network": stage.network,
        });
        Ok(Ok(Digest32::of(about.to_string().as_bytes())))
    }

    /// Runs a stage on the base and keeps what it leaves. Answers the report of one that did not pass.
    async fn make(
        &self,
        bench: Bench<'_>,
        stage: &StageRules,
        on_base: &OnBase,
        below: Option<&Below>,
        making: Making,
    ) -> Result<Result<(), Box<StageReport>>, VerifierError> {
        let Bench { machine, ground, run, base } = bench;
        let in_the_way = |why: String| Ok(Err(Box::new(could_not_start(stage, machine.walls(stage), &why))));
        let mut worktree =
            Worktree::check_out(ground.repository, base, run, ground.runs, stage.limits.disk_bytes).await?;
        let mut kept = below.map_or(&[][..], |below| below.layer.kept()).to_vec();
        let new: Vec<RepoPath> = on_base.keep.iter().filter(|path| !kept.contains(path)).cloned().collect();
        if let Err(taken) = all_free(&worktree.files, &new) {
            worktree.remove().await;
            return in_the_way(taken.words());
        }
        if let Some(below) = below {
            worktree = match put_down(Arc::clone(&below.layer), worktree).await? {
                Ok(worktree) => worktree,
                Err(taken) => return in_the_way(taken.words()),
            };
        }
        let report = self.run_stage(machine, &worktree, stage).await?;
        if !report.result.passed() {
            worktree.remove().await;
            return Ok(Err(Box::new(report)));
        }
        kept.extend(new);
        let draft = worktree.draft().map_err(|error| unavailable_by(WHAT, error))?;
        let folders = [draft, worktree.files.clone(), worktree.home.clone()];
        making.keep(worktree, folders, kept, report).await?;
        Ok(Ok(()))
    }
}

/// Copies prepared dependencies into a worktree. If it is called off, the worktree goes as soon as the copying notices.
pub(super) async fn put_down(
    layer: Arc<Layer>,
    worktree: Worktree,
) -> Result<Result<Worktree, InTheWay>, VerifierError> {
    let stop = StopWhenDropped(Arc::default());
    let stopped = Arc::clone(&stop.0);
    blocking(WHAT, move || {
        let restored = layer.restore(&worktree.files, &worktree.home, &stopped)?;
        Ok(restored.map(|()| worktree))
    })
    .await
}

/// What came of the stages before.
struct Below {
    key: Digest32,
    layer: Arc<Layer>,
}

/// Where a stage on the base is run.
struct Bench<'a> {
    machine: &'a Machine,
    ground: Ground<'a>,
    run: &'a RunId,
    base: &'a TreeSha,
}

struct StopWhenDropped(Arc<AtomicBool>);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
