//! Where attacks are made, and what is looked at afterwards.

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use selfext_contracts::verifier::SourceRepository;
use selfext_domain::ports::Verifier as _;
use selfext_domain::{
    BranchName, Candidate, ChangeSet, ExecutionContext, RepoPath, RunId, StageReport, StageRules, ToolName, Wall,
    WallState,
};
use selfext_verifier::{GitSource, StageEnvironment, VerifierConfig, WithoutWalls, WorktreeVerifier};
use tempfile::TempDir;

/// What is planted where a candidate must not get it. It has no form that redaction would know.
pub const SECRET: &str = "planted7d20aa";

/// How long an attack may last, whatever it tries, on a machine that is busy.
const LIMIT: Duration = Duration::from_mins(1);

/// The machines that every attack is made on: this one, and what it would be without some of its means.
const MACHINES: [(&str, WithoutWalls); 4] = [
    ("all", WithoutWalls { namespaces: false, landlock: false, control_groups: false }),
    ("no namespaces", WithoutWalls { namespaces: true, landlock: false, control_groups: false }),
    ("no Landlock", WithoutWalls { namespaces: false, landlock: true, control_groups: false }),
    ("bare", WithoutWalls { namespaces: true, landlock: true, control_groups: true }),
];

/// What came of an attack.
pub struct Outcome {
    pub report: StageReport,
    /// What the attack reached, if it reached anything.
    pub harm: Option<String>,
}

/// One machine, with an operator's home, a source and a verifier.
pub struct Ground {
    folder: TempDir,
    pub source: SourceRepository,
    verifier: WorktreeVerifier,
    candidate: Candidate,
}

impl Ground {
    async fn prepare(without: WithoutWalls) -> Self {
        let folder = TempDir::new().unwrap();
        let source = SourceRepository::make(&folder.path().join("source"));
        let home = folder.path().join("operator");
        fs::create_dir_all(home.join(".cargo/bin")).unwrap();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::env::split_paths(&path).chain([home.join(".cargo/bin")])).unwrap();
        let lookup = |name: &str| match name {
            "HOME" => Some(home.clone().into()),
            "PATH" => Some(path.clone()),
            _ => None,
        };
        let variables = [("GITHUB_TOKEN", SECRET), ("DEPLOY_KEY", SECRET), ("HARMLESS", "known")];
        let variables = variables.map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let config = VerifierConfig::new(GitSource::Path(source.folder().to_owned()), folder.path().join("cache"));
        let environment = StageEnvironment::from_lookup(lookup).with_variables(variables);
        let verifier = WorktreeVerifier::new(VerifierConfig { environment, without, ..config });
        let mut ground = Self { candidate: placeholder(&verifier, &source).await, verifier, source, folder };
        ground.candidate = ground.candidate_of(&[("new", "new\n")]).await;
        ground
    }

    /// A place outside of everything that is the candidate's.
    pub fn outside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn cache(&self) -> PathBuf {
        self.outside("cache")
    }

    pub async fn candidate_of(&self, files: &[(&str, &str)]) -> Candidate {
        candidate_of(&self.verifier, &self.source, files).await
    }

    pub async fn run(&self, stage: StageRules) -> StageReport {
        self.run_on(&self.candidate, stage).await
    }

    /// Runs several stages on the ground's own candidate.
    pub async fn run_all(&self, stages: &[StageRules]) -> Vec<StageReport> {
        self.verifier.run_stages(&RunId::parse("attack").unwrap(), &self.candidate, stages).await.unwrap()
    }

    pub async fn run_on(&self, candidate: &Candidate, stage: StageRules) -> StageReport {
        self.verifier.run_stages(&RunId::parse("attack").unwrap(), candidate, &[stage]).await.unwrap().remove(0)
    }

    /// Nothing of a stage lives, and nothing of its folder is there.
    fn assert_nothing_left(&self, attack: &str) {
        let living = living(|about| {
            let variables = fs::read(about.join("environ")).unwrap_or_default();
            let below = self.cache();
            variables.split(|byte| *byte == 0).any(|variable| {
                variable.strip_prefix(b"TMPDIR=").is_some_and(|value| value.starts_with(below.as_os_str().as_bytes()))
            })
        });
        assert!(living.is_empty(), "{attack}: {living:?}");
        let left: Vec<_> = fs::read_dir(self.cache().join("worktrees"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .filter(|name| name != ".guard")
            .collect();
        assert!(left.is_empty(), "{attack}: {left:?}");
    }
}

async fn placeholder(verifier: &WorktreeVerifier, source: &SourceRepository) -> Candidate {
    candidate_of(verifier, source, &[("first", "x")]).await
}

async fn candidate_of(verifier: &WorktreeVerifier, source: &SourceRepository, files: &[(&str, &str)]) -> Candidate {
    let context = ExecutionContext::new(ToolName::parse("attack").unwrap());
    let builder = ChangeSet::builder("an attack", context);
    let change = files
        .iter()
        .fold(builder, |builder, (name, content)| builder.write(RepoPath::parse(*name).unwrap(), content.to_string()));
    let main = BranchName::parse("main").unwrap();
    verifier.prepare(&main, &source.head(), &change.build().unwrap()).await.unwrap()
}

/// The processes, by their folders in `/proc`, of which something is so.
pub fn living(what: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let entries = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    entries.filter(|about| about.join("stat").exists() && what(about)).collect()
}

pub fn script(text: &str) -> StageRules {
    StageRules {
        timeout: Duration::from_secs(20),
        ..StageRules::new("attack", ["sh", "-c", text].map(str::to_owned).into())
    }
}

/// Makes an attack on each machine. It must reach nothing if all of these walls stood, end in time, and leave nothing behind; and
/// where one was missing, the report must say so.
pub async fn attacked(attack: &str, walls: &[Wall], make: impl AsyncFn(&Ground) -> Outcome) {
    for (machine, without) in MACHINES {
        let ground = Ground::prepare(without).await;
        let began = Instant::now();
        let Outcome { report, harm } = make(&ground).await;
        assert!(began.elapsed() < LIMIT, "{attack} took {:?}", began.elapsed());
        ground.assert_nothing_left(attack);
        let of = |wall: &Wall| report.walls.iter().find(|told| told.wall == *wall).expect("every wall is told");
        let missing: Vec<String> =
            walls.iter().map(of).filter(|told| told.missing().is_some()).map(ToString::to_string).collect();
        let stood: Vec<String> = walls
            .iter()
            .map(of)
            .filter(|told| matches!(told.state, WallState::Stood { .. }))
            .map(ToString::to_string)
            .collect();
        let words = match (&harm, missing.is_empty()) {
            (None, true) if walls.is_empty() => "stopped by how selfext works".to_owned(),
            (None, true) => format!("stopped by {}", stood.join(", ")),
            (None, false) => format!("did not get through here, though {}", missing.join(", ")),
            (Some(harm), false) => format!("GOT THROUGH ({harm}), as reported: {}", missing.join(", ")),
            (Some(harm), true) => panic!("{attack} on {machine}: {harm}, though every wall stood: {report:?}"),
        };
        // Past the harness, which would keep it back.
        let _ = writeln!(std::io::stderr(), "{attack:34} | {machine:13} | {} | {words}", report.result);
    }
}
