use std::env;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use selfext_domain::ports::{Verifier as _, VerifierError};
use selfext_domain::{Isolation, Mechanism, RunId, Wall, WallState};
use selfext_verifier::{GitSource, VerifierConfig, WithoutWalls, WorktreeVerifier};

use crate::place::{Place, candidate, run, script};

/// Set in a second life of this test's process, which is killed.
const AGAIN: &str = "SELFEXT_TEST_CRASHING";

const NOTHING: WithoutWalls = WithoutWalls { namespaces: true, landlock: true, control_groups: true };

fn verifier(place: &Place, without: WithoutWalls) -> WorktreeVerifier {
    WorktreeVerifier::new(VerifierConfig { without, ..place.config() })
}

#[tokio::test]
async fn nothing_runs_where_the_rules_require_a_wall_that_is_missing() {
    let place = Place::make();
    let verifier = verifier(&place, NOTHING);
    let candidate = candidate(&verifier, &place.source.head()).await;
    let mark = place.path("ran");
    let mut stage = script(&format!(": > '{}'", mark.display()));
    stage.isolation = Isolation::Required;
    let id = RunId::parse("run").unwrap();
    match verifier.run_stages(&id, &candidate, &[script("true"), stage.clone()]).await {
        Err(VerifierError::WallsMissing { detail }) => assert!(detail.contains("files MISSING"), "{detail}"),
        other => panic!("{other:?}"),
    }
    assert!(!mark.exists());
    stage.isolation = Isolation::BestEffort;
    let report = run(&verifier, &candidate, stage).await;
    assert!(report.result.passed() && report.missing_walls().any(|wall| wall.wall == Wall::Files), "{report:?}");
}

#[tokio::test]
async fn what_the_operator_names_can_be_read_and_not_written() {
    let place = Place::make();
    let shared = place.path("shared");
    fs::create_dir(&shared).unwrap();
    fs::write(shared.join("file"), "known").unwrap();
    for namespaces in [false, true] {
        let without = WithoutWalls { namespaces, ..WithoutWalls::default() };
        let config = VerifierConfig { read_paths: vec![shared.clone()], without, ..place.config() };
        let verifier = WorktreeVerifier::new(config);
        let candidate = candidate(&verifier, &place.source.head()).await;
        let look = script(&format!("cat '{0}/file'; (echo x > '{0}/new') 2>/dev/null; exit 0", shared.display()));
        let report = run(&verifier, &candidate, look).await;
        assert_eq!(report.output.as_str(), "known", "{report:?}");
        let stood = |wall: Wall| {
            let told = report.walls.iter().find(|told| told.wall == wall);
            told.is_some_and(|told| matches!(told.state, WallState::Stood { .. }))
        };
        assert_eq!(!shared.join("new").exists(), stood(Wall::Files));
        let _ = fs::remove_file(shared.join("new"));
    }
}

#[tokio::test]
async fn a_stage_has_a_loopback_of_its_own() {
    let place = Place::make();
    let verifier = place.verifier();
    let candidate = candidate(&verifier, &place.source.head()).await;
    let talk = "use Socket; socket(L, PF_INET, SOCK_STREAM, 0) or die; bind(L, sockaddr_in(0, INADDR_LOOPBACK)) or die; listen(L, 1) or die; \
                socket(C, PF_INET, SOCK_STREAM, 0) or die; connect(C, getsockname(L)) or die; print \"connected\"";
    let report = run(&verifier, &candidate, script(&format!("perl -e '{talk}'"))).await;
    let own = report
        .walls
        .iter()
        .any(|told| matches!(&told.state, WallState::Stood { by } if by.contains(&Mechanism::NetworkNamespace)));
    assert_eq!(report.output.as_str().contains("connected"), own, "{report:?}");
}

/// Processes whose temporary folder is below this one.
fn living(below: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    entries
        .filter(|about| {
            let variables = fs::read(about.join("environ")).unwrap_or_default();
            variables.split(|byte| *byte == 0).any(|variable| {
                variable.strip_prefix(b"TMPDIR=").is_some_and(|value| value.starts_with(below.as_os_str().as_bytes()))
            })
        })
        .collect()
}

async fn until(what: &str, look: impl Fn() -> bool) {
    let began = Instant::now();
    while !look() {
        assert!(began.elapsed() < Duration::from_secs(30), "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_stage_ends_with_a_crashed_selfext_and_its_folder_is_swept() {
    const NAME: &str = "isolation::a_stage_ends_with_a_crashed_selfext_and_its_folder_is_swept";
    if let Some(told) = env::var_os(AGAIN) {
        return crash(Path::new(&told)).await;
    }
    for machine in ["all", "without-namespaces"] {
        let place = Place::make();
        let told = place.path(machine);
        fs::create_dir(&told).unwrap();
        std::os::unix::fs::symlink(place.source.folder(), told.join("source")).unwrap();
        let mut again = Command::new(env::current_exe().unwrap());
        again.args([NAME, "--exact", "--test-threads=1"]).env(AGAIN, &told).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = again.spawn().unwrap();
        let cache = told.join("cache");
        until("the stage lives", || living(&cache).len() >= 3).await;
        child.kill().unwrap();
        child.wait().unwrap();
        until("nothing of the stage lives", || living(&cache).is_empty()).await;
        let config = VerifierConfig::new(GitSource::Path(place.source.folder().to_owned()), cache.clone());
        let next = WorktreeVerifier::new(config);
        let candidate = candidate(&next, &place.source.head()).await;
        assert!(run(&next, &candidate, script("true")).await.result.passed());
        assert_eq!(fs::read_dir(cache.join("worktrees")).unwrap().count(), 1, "only the guard is left");
    }
}

async fn crash(told: &Path) {
    let source = GitSource::Path(told.join("source"));
    let without = WithoutWalls { namespaces: told.ends_with("without-namespaces"), ..WithoutWalls::default() };
    let verifier = WorktreeVerifier::new(VerifierConfig { without, ..VerifierConfig::new(source, told.join("cache")) });
    let head = Command::new("git").args(["rev-parse", "HEAD"]).current_dir(told.join("source")).output().unwrap();
    let head = String::from_utf8(head.stdout).unwrap();
    let base = selfext_domain::CommitSha::parse(head.trim()).unwrap();
    let candidate = candidate(&verifier, &base).await;
    run(&verifier, &candidate, script("setsid sleep 600 & sleep 600 & wait")).await;
}
