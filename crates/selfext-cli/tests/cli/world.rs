//! A person's machine: a home, a repository, and the command.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// One stage, no required context, and little patience.
pub const RULES: &str = "version = 1\n[gate]\nwait_seconds = 0\npoll_seconds = 1\n[paths]\nprotected = [\"infra/**\"]\n\
                         [[verification.stage]]\nname = \"test\"\ncommand = [\"sh\", \"test.sh\"]\ntimeout_seconds = 60\n";

/// A required context that nobody will set.
pub const RULES_WITH_CI: &str = "version = 1\n[gate]\nrequired = [\"ci\"]\nwait_seconds = 0\npoll_seconds = 1\n\
                                 [[verification.stage]]\nname = \"test\"\ncommand = [\"sh\", \"test.sh\"]\n";

/// Passes unless the agent says `broken`.
const TEST: &str = "cat agent.txt\nif grep -q broken agent.txt; then echo 'the agent is broken'; exit 1; fi\n";

/// Variables that would lead the command elsewhere.
const UNSET: &[&str] = &[
    "SELFEXT_DATABASE_URL",
    "SELFEXT_GITHUB_URL",
    "SELFEXT_GITHUB_TOKEN",
    "SELFEXT_GITHUB_APP_ID",
    "SELFEXT_GITHUB_APP_KEY",
    "SELFEXT_GITHUB_APP_KEY_FILE",
    "SELFEXT_GITHUB_REPOSITORY_ID",
    "SELFEXT_LOG",
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
];

/// A home with nothing in it; gone when this is dropped.
pub struct World {
    folder: TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl World {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("home")).unwrap();
        Self { folder }
    }

    /// A home, and in it the repository `agent` with rules and a first commit on main.
    pub fn with_agent(rules: &str) -> Self {
        let world = Self::new();
        let agent = world.path("agent");
        git(world.folder.path(), ["init", "-q", "-b", "main", "agent"]);
        for (name, text) in [
            ("agent.txt", "first\n"),
            ("old.txt", "old\n"),
            ("test.sh", TEST),
            ("selfext.toml", rules),
            (".gitignore", "*.log\n"),
        ] {
            std::fs::write(agent.join(name), text).unwrap();
        }
        world.commit("first");
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, and answers its path as an argument.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The path of the agent's repository, as an argument.
    pub fn agent(&self) -> String {
        self.path("agent").to_str().unwrap().to_owned()
    }

    pub fn git<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> String {
        git(&self.path("agent"), args)
    }

    /// Commits everything in the agent's worktree.
    pub fn commit(&self, message: &str) {
        self.git(["add", "-A"]);
        self.git(["commit", "-q", "-m", message]);
    }

    /// A file as main has it.
    pub fn on_main(&self, path: &str) -> Option<String> {
        let mut command = Command::new("git");
        command.arg("-C").arg(self.path("agent")).args(["cat-file", "blob", &format!("main:{path}")]);
        let output = command.output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }

    pub fn tip(&self) -> String {
        self.git(["rev-parse", "refs/heads/main"])
    }

    /// What differs between the agent's checkout and its HEAD.
    pub fn status(&self) -> String {
        self.git(["status", "--porcelain", "--untracked-files=all"])
    }

    /// Where the ledger is that nobody named.
    pub fn ledger(&self) -> PathBuf {
        self.path("state/selfext/ledger.sqlite")
    }

    /// The command, in this home.
    pub fn command(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_selfext"));
        command.args(args).current_dir(self.folder.path());
        for name in UNSET {
            command.env_remove(name);
        }
        command.env("HOME", self.path("home")).env("XDG_STATE_HOME", self.path("state"));
        command.env("XDG_CACHE_HOME", self.path("cache")).env("GIT_CONFIG_NOSYSTEM", "1");
        command.stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Ran {
        Ran::of(&mut self.command(args))
    }

    pub fn run_with_input(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>, input: &str) -> Ran {
        let mut command = self.command(args);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        Ran::from(child.wait_with_output().unwrap())
    }

    /// Promotes to the agent's repository on this machine.
    pub fn promote<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Ran {
        let agent = self.agent();
        let target = ["promote", "--local", &agent, "--message", "Say why"].map(str::to_owned);
        self.run(target.into_iter().chain(args.into_iter().map(str::to_owned)))
    }

    /// Promotes a new text of `agent.txt`.
    pub fn promote_text(&self, text: &str) -> Ran {
        let from = self.write("new-agent.txt", text);
        self.promote(["--file", &format!("agent.txt={from}")])
    }
}

impl From<std::process::Output> for Ran {
    fn from(output: std::process::Output) -> Self {
        let ran = Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        assert!(!ran.stderr.contains("panicked"), "{ran:?}");
        ran
    }
}

impl Ran {
    pub fn of(command: &mut Command) -> Self {
        Self::from(command.output().unwrap())
    }

    /// Checks the exit code, and that standard output or error holds each of the words.
    #[track_caller]
    pub fn expect(self, code: i32, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        for word in words {
            assert!(self.stdout.contains(word) || self.stderr.contains(word), "{word:?} is not in {self:?}");
        }
        self
    }

    /// Standard output as the one JSON document that it is.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.stdout.lines().count(), 1, "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The run that the words for people name.
    #[track_caller]
    pub fn run_id(&self) -> String {
        let line = self.stdout.lines().find_map(|line| line.strip_prefix("run "));
        line.and_then(|line| line.split(',').next()).unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }
}

pub fn git<'a>(folder: &Path, args: impl IntoIterator<Item = &'a str>) -> String {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder);
    command.args(["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false"]).args(args);
    let output = command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}
