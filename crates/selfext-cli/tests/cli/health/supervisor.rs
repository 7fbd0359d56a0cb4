//! What an init system is to a real agent: it runs what main has, and starts it anew when it ends or main moves.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::github::Github;
use crate::world::git;

/// How often it looks whether main moved and the agent runs.
const LOOK: Duration = Duration::from_millis(100);

/// Runs the agent until it is dropped.
pub struct Supervisor {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

struct Host {
    bare: PathBuf,
    folder: PathBuf,
    /// The command line's surroundings, for the agent's heartbeats.
    variables: Vec<(String, String)>,
    running: Vec<(Child, String)>,
    started: usize,
}

impl Supervisor {
    pub fn start(github: &Github, folder: &Path) -> Self {
        let command = github.world.command([""; 0]);
        let text = |text: &std::ffi::OsStr| text.to_str().unwrap().to_owned();
        let variables = command.get_envs().filter_map(|(name, value)| value.map(|value| (text(name), text(value))));
        let program = [("SELFEXT".to_owned(), env!("CARGO_BIN_EXE_selfext").to_owned())];
        let mut host = Host {
            bare: github.bare.clone(),
            folder: folder.to_owned(),
            variables: variables.chain(program).collect(),
            running: Vec::new(),
            started: 0,
        };
        let over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&over);
        let thread = std::thread::spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                host.look();
                std::thread::sleep(LOOK);
            }
        });
        Self { over, thread: Some(thread) }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // What went wrong there shows as an agent that does not run.
            let _ = thread.join();
        }
    }
}

impl Host {
    /// Starts what main has, unless it was started and still runs, or the agent before it does.
    fn look(&mut self) {
        self.running.retain_mut(|(child, _)| child.try_wait().unwrap().is_none());
        let tip = git(&self.bare, ["rev-parse", "refs/heads/main"]);
        let last_started = self.folder.join("last-started");
        let is_new = std::fs::read_to_string(&last_started).ok().as_deref() != Some(&tip);
        if is_new || self.running.is_empty() {
            std::fs::write(last_started, &tip).unwrap();
            self.run(tip);
        }
    }

    fn run(&mut self, commit: String) {
        self.started += 1;
        let worktree = self.folder.join(format!("agent-{}", self.started));
        std::fs::create_dir(&worktree).unwrap();
        let tree = ["--work-tree", worktree.to_str().unwrap(), "checkout", "-q", "-f", &commit, "--", "."];
        let index = self.folder.join(format!("index-{}", self.started));
        let mut checkout = Command::new("git");
        checkout.arg("--git-dir").arg(&self.bare).args(tree).env("GIT_INDEX_FILE", index);
        assert!(checkout.status().unwrap().success());
        let before = self.running.last().map(|(child, _)| child.id().to_string()).unwrap_or_default();
        let mut command = Command::new("sh");
        command.arg("agent.sh").current_dir(worktree).env_clear().envs(self.variables.iter().cloned());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("COMMIT", &commit).env("BEFORE", before).env("HOST", &self.folder);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        self.running.push((command.spawn().unwrap(), commit));
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        for (child, _) in &mut self.running {
            // It may have ended by itself.
            let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
            let _ = child.wait();
        }
    }
}
