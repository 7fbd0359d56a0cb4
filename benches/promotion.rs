//! How long a promotion takes whose checks are green, where each request to GitHub takes 50 ms: beside the verification itself, and
//! beside as many requests one after another that do nothing, in turns, in one run.
#![expect(clippy::unwrap_used, reason = "a benchmark may stop at anything unexpected")]

use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use selfext::{
    ChangeSet, DatabaseUrl, Ending, ExecutionContext, GitSource, Observer, RepoPath, RepositoryName, Selfext, Step,
    ToolName,
};
use selfext_twin::{AutoCheck, StatusState, Twin, TwinConfig, TwinHandle};
use url::Url;

/// What one request takes, at the least.
const LATENCY: Duration = Duration::from_millis(50);

/// What a promotion may take beside its verification.
const ALLOWED: Duration = Duration::from_millis(350);

const RULES: &str =
    "version = 1\n[gate]\nrequired = [\"ci\"]\n[[verification.stage]]\nname = \"t\"\ncommand = [\"true\"]\n";

/// When the stages began, and for how long they ran.
#[derive(Default)]
struct Verifying(Mutex<(Option<Instant>, Duration)>);

impl Observer for Verifying {
    fn on(&self, step: &Step) {
        let mut state = self.0.lock().unwrap();
        match step {
            Step::Verifying { .. } => state.0 = Some(Instant::now()),
            Step::Verified { .. } => {
                let took = state.0.take().map_or(Duration::ZERO, |began| began.elapsed());
                state.1 += took;
            }
            _ => {}
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let rounds = if std::env::args().any(|argument| argument == "--smoke") { 2 } else { 15 };
    let place = tempfile::tempdir().unwrap();
    let bare = repository(place.path());
    let twin = Twin::open(&bare, TwinConfig::new("o", "agent")).await.unwrap();
    let handle = twin.handle();
    handle.on_new_head_set([AutoCheck::status("ci", StatusState::Success)]);
    let serving = twin.serve(([127, 0, 0, 1], 0).into()).await.unwrap();
    let selfext = Selfext::builder(RepositoryName::parse("o/agent").unwrap())
        .github_token("a-token")
        .unwrap()
        .github_url(Url::parse(&serving.base_url()).unwrap())
        .git_source(GitSource::Path(bare))
        .cache(place.path().join("cache"))
        .database(DatabaseUrl::sqlite(place.path().join("ledger.sqlite")))
        .open()
        .await
        .unwrap();
    // The first one also fetches the repository and asks which one it is.
    promote(&selfext, 0).await;
    handle.set_latency(LATENCY);
    let (mut beside, mut verifying, mut floor, mut chain) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for round in 1..=rounds {
        handle.clear_exchanges();
        let (whole, stages) = promote(&selfext, round).await;
        chain = handle.longest_chain();
        beside.push(whole.saturating_sub(stages));
        verifying.push(stages);
        floor.push(requests(&handle, &serving.base_url(), chain).await);
    }
    let (beside, verifying, floor) = (median(beside), median(verifying), median(floor));
    println!("| what | median of {rounds} |");
    println!("| --- | --- |");
    println!("| requests one after another | {chain} |");
    println!("| a promotion, without its verification | {} ms |", beside.as_millis());
    println!("| its verification (fetch, worktree, one stage that does nothing) | {} ms |", verifying.as_millis());
    println!("| as many requests one after another that do nothing | {} ms |", floor.as_millis());
    println!("| ratio | {:.2} |", beside.as_secs_f64() / floor.as_secs_f64());
    let well = beside < ALLOWED;
    println!("| under {} ms | {} |", ALLOWED.as_millis(), if well { "yes" } else { "no" });
    serving.shutdown().await;
    ExitCode::SUCCESS
}

/// Promotes another text; answers how long it took, and how long of that the verification.
async fn promote(selfext: &Selfext, round: u32) -> (Duration, Duration) {
    let context = ExecutionContext::new(ToolName::parse("bench").unwrap());
    let path = RepoPath::parse("agent.txt").unwrap();
    let change = ChangeSet::builder("Say why", context).write(path, format!("{round}\n")).build().unwrap();
    let observer = Verifying::default();
    let began = Instant::now();
    let outcome = selfext.promote_as(&change, None, &observer).await.unwrap();
    let whole = began.elapsed();
    assert!(matches!(outcome.ending, Ending::Promoted { .. }), "{outcome:?}");
    (whole, observer.0.lock().unwrap().1)
}

/// As many requests one after another as a promotion makes, on one connection each as cheap as there is.
async fn requests(handle: &TwinHandle, base: &str, count: usize) -> Duration {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let address = base.trim_start_matches("http://").to_owned();
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let began = Instant::now();
    let mut buffer = vec![0; 16 * 1024];
    for _ in 0..count {
        let request = format!("GET /rate_limit HTTP/1.1\r\nhost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"}") {
            let read = stream.read(&mut buffer).await.unwrap();
            assert!(read > 0, "the twin hung up");
            answer.extend_from_slice(&buffer[..read]);
        }
    }
    let took = began.elapsed();
    handle.clear_exchanges();
    took
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn repository(folder: &Path) -> std::path::PathBuf {
    let work = folder.join("work");
    std::fs::create_dir(&work).unwrap();
    git(folder, &["init", "-q", "-b", "main", "work"]);
    std::fs::write(work.join("agent.txt"), "first\n").unwrap();
    std::fs::write(work.join("selfext.toml"), RULES).unwrap();
    git(&work, &["add", "-A"]);
    git(&work, &["commit", "-q", "-m", "first"]);
    git(folder, &["clone", "-q", "--bare", "work", "agent.git"]);
    folder.join("agent.git")
}

fn git(folder: &Path, args: &[&str]) {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args([
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@localhost",
        "-c",
        "commit.gpgsign=false",
    ]);
    assert!(command.args(args).env("GIT_CONFIG_GLOBAL", "/dev/null").status().unwrap().success());
}
