//! A source and a cache for one test, and what is asked of a verifier in it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use selfext_contracts::verifier::SourceRepository;
use selfext_domain::ports::{Verifier as _, VerifierError};
use selfext_domain::{
    BranchName, Candidate, ChangeSet, CommitSha, ExecutionContext, RepoPath, RunId, StageReport, StageRules, ToolName,
};
use selfext_verifier::{GitSource, VerifierConfig, WorktreeVerifier};
use tempfile::TempDir;

pub struct Place {
    folder: TempDir,
    pub source: SourceRepository,
}

impl Place {
    pub fn make() -> Self {
        let folder = TempDir::new().unwrap();
        Self { source: SourceRepository::make(&folder.path().join("source")), folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn cache(&self) -> PathBuf {
        self.path("above/cache")
    }

    pub fn config(&self) -> VerifierConfig {
        VerifierConfig::new(GitSource::Path(self.source.folder().to_owned()), self.cache())
    }

    pub fn verifier(&self) -> WorktreeVerifier {
        WorktreeVerifier::new(self.config())
    }

    /// What is left of runs.
    pub fn left(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.cache().join("worktrees")).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| !path.ends_with(".guard")).collect()
    }

    /// A commit on main of a tree that was made by hand.
    pub fn commit_tree(&self, tree: &str) -> CommitSha {
        let folder = self.source.folder();
        let identity = ["-c", "user.name=Nobody", "-c", "user.email=nobody@example.com"];
        let words = [&identity[..], &["commit-tree", "-p", "HEAD", "-m", "by hand", tree]].concat();
        let commit = git_with(folder, &words, b"");
        git_with(folder, &["update-ref", "refs/heads/main", &commit], b"");
        CommitSha::parse(commit).unwrap()
    }

    /// A tree of entries as `git update-index --index-info` takes them.
    pub fn tree_of(&self, entries: impl IntoIterator<Item = String>) -> String {
        let folder = self.source.folder();
        let list: String = entries.into_iter().map(|entry| entry + "\0").collect();
        git_with(folder, &["read-tree", "--empty"], b"");
        git_with(folder, &["update-index", "-z", "--index-info"], list.as_bytes());
        git_with(folder, &["write-tree"], b"")
    }

    /// An object of the source, made past every check.
    pub fn object(&self, kind: &str, content: &[u8]) -> String {
        git_with(self.source.folder(), &["hash-object", "-t", kind, "-w", "--literally", "--stdin"], content)
    }

    /// A git program that does something before it is git; `$real` is the real one.
    pub fn git_that(&self, script: &str) -> PathBuf {
        let program = self.path("git-that");
        let text = format!("#!/bin/sh\nreal=git\n{script}\nexec \"$real\" \"$@\"\n");
        // A shell writes it: a program that this process had open could still be so in a child that another test just
        // forked, and such a program cannot be started.
        let write = "printf %s \"$2\" > \"$1\"; chmod 755 \"$1\"";
        let status = Command::new("sh").args(["-c", write, "sh"]).arg(&program).arg(text).status();
        assert!(status.unwrap().success());
        program
    }
}

/// Runs git in a folder, with an input; answers what it writes, without the end of the line.
pub fn git_with(folder: &Path, arguments: &[&str], input: &[u8]) -> String {
    let mut git = Command::new("git");
    git.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    git.args(arguments).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = git.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end_matches('\n').to_owned()
}

pub fn main_branch() -> BranchName {
    BranchName::parse("main").unwrap()
}

pub fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

pub fn change(files: usize) -> ChangeSet {
    let context = ExecutionContext::new(ToolName::parse("write").unwrap());
    let builder = ChangeSet::builder("say why", context);
    let write = |builder: selfext_domain::ChangeSetBuilder, number| {
        builder.write(path(&format!("new/{number}")), format!("{number}"))
    };
    (0..files).fold(builder, write).build().unwrap()
}

pub fn script(text: &str) -> StageRules {
    StageRules {
        timeout: Duration::from_mins(2),
        output_limit: 1 << 20,
        ..StageRules::new("script", ["sh", "-c", text].map(str::to_owned).into())
    }
}

pub async fn read(verifier: &WorktreeVerifier, base: &CommitSha) -> Result<Option<Vec<u8>>, VerifierError> {
    verifier.read_file(&main_branch(), base, &path("README")).await
}

pub async fn candidate(verifier: &WorktreeVerifier, base: &CommitSha) -> Candidate {
    verifier.prepare(&main_branch(), base, &change(1)).await.unwrap()
}

pub async fn run(verifier: &WorktreeVerifier, candidate: &Candidate, stage: StageRules) -> StageReport {
    let run = RunId::parse("run").unwrap();
    verifier.run_stages(&run, candidate, &[stage]).await.unwrap().remove(0)
}

/// The same, where it may be refused.
pub async fn try_run(
    verifier: &WorktreeVerifier,
    candidate: &Candidate,
    stage: StageRules,
) -> Result<Vec<StageReport>, VerifierError> {
    verifier.run_stages(&RunId::parse("run").unwrap(), candidate, &[stage]).await
}

/// The words of an error that says what the machine did not let us do.
pub fn unavailable<T: std::fmt::Debug>(result: Result<T, VerifierError>) -> String {
    match result {
        Err(VerifierError::Unavailable { detail, .. }) => detail,
        other => panic!("{other:?}"),
    }
}

/// Every file below a folder, with its bytes.
pub fn files(below: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![below.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                found.push((entry.path(), fs::read(entry.path()).unwrap_or_default()));
            }
        }
    }
    found
}
