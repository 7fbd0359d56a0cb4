//! What the walls around a stage cost: the same program that does nothing, bare and as a stage, in turns, in one run.
#![expect(clippy::unwrap_used, reason = "a benchmark may stop at anything unexpected")]

use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use selfext::{BranchName, ChangeSet, CommitSha, ExecutionContext, RepoPath, RunId, ToolName};
use selfext_contracts::verifier::SourceRepository;
use selfext_domain::ports::Verifier as _;
use selfext_domain::{Candidate, StageRules};
use selfext_verifier::{GitSource, VerifierConfig, WithoutWalls, WorktreeVerifier};

const ROUNDS: usize = 15;
/// Stages in one run; what a run costs as such is taken off by another run with one stage alone.
const STAGES: usize = 10;
const ALLOWED: Duration = Duration::from_millis(50);

#[tokio::main]
async fn main() -> ExitCode {
    let mut well = true;
    for (name, namespaces) in [("all walls", false), ("no namespaces", true)] {
        let place = tempfile::tempdir().unwrap();
        let source = SourceRepository::make(&place.path().join("source"));
        let without = WithoutWalls { namespaces, ..WithoutWalls::default() };
        let config = VerifierConfig::new(GitSource::Path(source.folder().to_owned()), place.path().join("cache"));
        let verifier = WorktreeVerifier::new(VerifierConfig { without, ..config });
        let candidate = candidate(&verifier, source.head()).await;
        run(&verifier, &candidate, 1).await;
        let (mut bare, mut stage, mut whole) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let began = Instant::now();
            for _ in 0..STAGES {
                run_bare();
            }
            bare.push(began.elapsed() / u32::try_from(STAGES).unwrap());
            let one = run(&verifier, &candidate, 1).await;
            let many = run(&verifier, &candidate, 1 + STAGES).await;
            stage.push(many.saturating_sub(one) / u32::try_from(STAGES).unwrap());
            whole.push(one);
        }
        let (bare, stage, whole) = (median(bare), median(stage), median(whole));
        let added = stage.saturating_sub(bare);
        let ratio = stage.as_secs_f64() / bare.as_secs_f64();
        println!(
            "isolation, {name}: bare {bare:.2?}, as a stage {stage:.2?}, added {added:.2?} (allowed {ALLOWED:.0?}), ratio {ratio:.1}; a run \
             of one stage with its worktree {whole:.2?}"
        );
        well &= added < ALLOWED;
    }
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_bare() {
    let mut command = Command::new("true");
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(command.status().unwrap().success());
}

async fn run(verifier: &WorktreeVerifier, candidate: &Candidate, stages: usize) -> Duration {
    let stages: Vec<StageRules> =
        (0..stages).map(|number| StageRules::new(number.to_string(), vec!["true".to_owned()])).collect();
    let began = Instant::now();
    let reports = verifier.run_stages(&RunId::parse("bench").unwrap(), candidate, &stages).await.unwrap();
    let took = began.elapsed();
    assert!(reports.len() == stages.len() && reports.iter().all(|report| report.result.passed()));
    took
}

async fn candidate(verifier: &WorktreeVerifier, base: CommitSha) -> Candidate {
    let context = ExecutionContext::new(ToolName::parse("bench").unwrap());
    let change =
        ChangeSet::builder("a change", context).write(RepoPath::parse("new").unwrap(), "new\n").build().unwrap();
    verifier.prepare(&BranchName::parse("main").unwrap(), &base, &change).await.unwrap()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
