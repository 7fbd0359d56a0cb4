//! A source and a cache for one test, and what is asked of a verifier in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
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
