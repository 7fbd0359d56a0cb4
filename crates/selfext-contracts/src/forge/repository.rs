//! A bare git repository that a test can look into, and that somebody else can push to.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use selfext_domain::{BaseLinks, BranchName, Candidate, CommitSha, EntryChange, RepoPath, TreeSha};
use tempfile::TempDir;

/// Git's name for no object, which deletes an index entry.
const NO_OBJECT: &str = "0000000000000000000000000000000000000000";

/// A bare repository in a folder of its own, through the `git` program. If git cannot be run or refuses, the test is over.
#[derive(Debug)]
pub struct BareRepository {
    folder: TempDir,
}

#[expect(clippy::missing_panics_doc, reason = "said once, above: a test ends where git does not work")]
impl BareRepository {
    /// A repository with one commit on this branch, which HEAD names: a few files of each kind.
    #[must_use]
    pub fn create(branch: &BranchName) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let repository = Self { folder };
        repository.git(["init", "--quiet", "--bare", "."], &[], &[]);
        repository.git(["symbolic-ref", "HEAD", &format!("refs/heads/{branch}")], &[], &[]);
        let write = |text: &str, executable| EntryChange::Write { content: text.as_bytes().into(), executable };
        let files = [
            ("README.md", write("# Agent\n", false)),
            ("src/lib.rs", write("pub fn answer() -> u32 {\n    41\n}\n", false)),
            ("run.sh", write("#!/bin/sh\nexit 0\n", true)),
            ("old/notes.txt", write("old\n", false)),
        ];
        repository.push(branch, &changes(files), "The first commit");
        repository
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The tip of a branch, if there is one.
    #[must_use]
    pub fn head(&self, branch: &BranchName) -> Option<CommitSha> {
        let line = self.git(["for-each-ref", "--format=%(objectname)", &format!("refs/heads/{branch}")], &[], &[]);
        let text = String::from_utf8(line).expect("hexadecimal digits");
        (!text.trim().is_empty()).then(|| CommitSha::parse(text.trim()).expect("git names a commit"))
    }

    /// The tree of a commit.
    #[must_use]
    pub fn tree(&self, commit: &CommitSha) -> TreeSha {
        TreeSha::parse(self.say(["rev-parse", &format!("{commit}^{{tree}}")])).expect("git names a tree")
    }

    /// The parents of a commit.
    #[must_use]
    pub fn parents(&self, commit: &CommitSha) -> Vec<CommitSha> {
        let line = self.say(["show", "--no-patch", "--format=%P", commit.as_str()]);
        line.split_whitespace().map(|parent| CommitSha::parse(parent).expect("git names a commit")).collect()
    }

    /// The whole message of a commit, without white space at its end.
    #[must_use]
    pub fn message(&self, commit: &CommitSha) -> String {
        self.say(["show", "--no-patch", "--format=%B", commit.as_str()])
    }

    /// The names of all branches.
    #[must_use]
    pub fn branches(&self) -> Vec<String> {
        self.say(["for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads"]).lines().map(str::to_owned).collect()
    }

    /// What a verifier makes of these changes on a commit: nothing of it is left in the repository.
    #[must_use]
    pub fn candidate(&self, base: &CommitSha, changes: &BTreeMap<RepoPath, EntryChange>) -> Candidate {
        let aside = tempfile::tempdir().expect("a temporary folder");
        let environment = [
            ("GIT_OBJECT_DIRECTORY", aside.path().as_os_str().to_owned()),
            ("GIT_ALTERNATE_OBJECT_DIRECTORIES", self.path().join("objects").into_os_string()),
        ];
        let tree = self.write_tree(Some(base), changes, &environment);
        let entries = changes.iter().map(|(path, change)| (path.clone(), change.clone())).collect();
        let (base_tree, links) = (self.tree(base), BaseLinks::default());
        Candidate { base: base.clone(), base_tree, tree, entries, links, irreversible: Vec::new() }
    }

    /// Adds a commit to a branch, as somebody else; makes the branch if there is none. Pushing is always forward.
    #[expect(clippy::must_use_candidate, reason = "most tests need the push and not its name")]
    pub fn push(&self, branch: &BranchName, changes: &BTreeMap<RepoPath, EntryChange>, message: &str) -> CommitSha {
        let before = self.head(branch);
        let tree = self.write_tree(before.as_ref(), changes, &[]);
        let mut arguments = vec!["commit-tree".to_owned(), tree.to_string(), "-m".to_owned(), message.to_owned()];
        if let Some(before) = &before {
            arguments.extend(["-p".to_owned(), before.to_string()]);
        }
        let commit = CommitSha::parse(self.say(arguments)).expect("git names a commit");
        self.set(branch, &commit);
        commit
    }

    /// Puts a branch at a commit, as somebody else.
    pub fn set(&self, branch: &BranchName, commit: &CommitSha) {
        self.git(["update-ref", &format!("refs/heads/{branch}"), commit.as_str()], &[], &[]);
    }

    /// Deletes a branch, as somebody else.
    pub fn delete(&self, branch: &BranchName) {
        self.git(["update-ref", "-d", &format!("refs/heads/{branch}")], &[], &[]);
    }

    fn write_tree(
        &self,
        base: Option<&CommitSha>,
        changes: &BTreeMap<RepoPath, EntryChange>,
        environment: &[(&str, std::ffi::OsString)],
    ) -> TreeSha {
        let aside = tempfile::tempdir().expect("a temporary folder");
        let mut environment = environment.to_vec();
        environment.push(("GIT_INDEX_FILE", aside.path().join("index").into_os_string()));
        if let Some(base) = base {
            self.git(["read-tree", base.as_str()], &[], &environment);
        }
        let mut files = Vec::new();
        for (at, change) in changes.values().enumerate() {
            if let EntryChange::Write { content, .. } = change {
                let file = aside.path().join(at.to_string());
                std::fs::write(&file, content).expect("a file in a temporary folder");
                files.push(file);
            }
        }
        let mut blobs = self.hash(&files, &environment).into_iter();
        let mut index = Vec::new();
        for (path, change) in changes {
            let (mode, blob) = match change {
                EntryChange::Delete => ("0", NO_OBJECT.to_owned()),
                EntryChange::Write { executable, .. } => {
                    (if *executable { "100755" } else { "100644" }, blobs.next().expect("a blob for each file"))
                }
            };
            index.extend(format!("{mode} {blob}\t{path}\0").into_bytes());
        }
        self.git(["update-index", "-z", "--index-info"], &index, &environment);
        let tree = String::from_utf8(self.git(["write-tree"], &[], &environment)).expect("hexadecimal digits");
        TreeSha::parse(tree.trim()).expect("git names a tree")
    }

    fn hash(&self, files: &[PathBuf], environment: &[(&str, std::ffi::OsString)]) -> Vec<String> {
        let names: Vec<String> = files.iter().map(|file| format!("{}\n", file.display())).collect();
        let arguments = ["hash-object", "-w", "--no-filters", "--stdin-paths"];
        let lines = self.git(arguments, names.concat().as_bytes(), environment);
        String::from_utf8(lines).expect("hexadecimal digits").lines().map(str::to_owned).collect()
    }

    /// What git prints, without white space at the ends.
    fn say(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> String {
        String::from_utf8(self.git(arguments, &[], &[])).expect("git prints UTF-8").trim().to_owned()
    }

    fn git(
        &self,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
        input: &[u8],
        environment: &[(&str, std::ffi::OsString)],
    ) -> Vec<u8> {
        let mut child = Command::new("git")
            .arg("-C")
            .arg(self.path())
            .args(arguments)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_AUTHOR_NAME", "somebody")
            .env("GIT_AUTHOR_EMAIL", "somebody@selfext.invalid")
            .env("GIT_COMMITTER_NAME", "somebody")
            .env("GIT_COMMITTER_EMAIL", "somebody@selfext.invalid")
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("git can be run");
        child.stdin.take().expect("a pipe").write_all(input).expect("git reads what it is given");
        let output = child.wait_with_output().expect("git ends");
        assert!(output.status.success(), "git: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }
}

/// Changes by path.
pub(super) fn changes<'a>(files: impl IntoIterator<Item = (&'a str, EntryChange)>) -> BTreeMap<RepoPath, EntryChange> {
    files.into_iter().map(|(path, change)| (RepoPath::parse(path).expect("a legal path"), change)).collect()
}
