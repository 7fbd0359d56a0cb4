//! An ordinary repository with history, made by git.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use selfext_domain::{CommitSha, TreeSha};

/// A repository with a worktree, a branch `main` and two commits, whose files are of every kind that git knows:
/// `README`, `dir/file`, `dir/other`, `selfext.toml`, the executable `run`, the binary `binary`, the symbolic link `link`
/// and the submodule `sub`.
#[derive(Debug)]
pub struct SourceRepository {
    folder: PathBuf,
}

impl SourceRepository {
    /// Makes it in a folder, which must not be there.
    ///
    /// # Panics
    /// If git cannot be run, or refuses.
    #[must_use]
    pub fn make(folder: &Path) -> Self {
        fs::create_dir_all(folder).expect("a folder");
        let this = Self { folder: folder.to_owned() };
        this.git(&["init", "--quiet", "--template=", "--initial-branch=main", "."]);
        this.write("README", "first\n");
        this.commit();
        this.write("README", "hello\n");
        this.write("dir/file", "in a folder\n");
        this.write("dir/other", "beside it\n");
        this.write("selfext.toml", "version = 1\n");
        this.write("run", "#!/bin/sh\necho ran\n");
        fs::set_permissions(folder.join("run"), fs::Permissions::from_mode(0o755)).expect("a mode");
        fs::write(folder.join("binary"), (0..=255).collect::<Vec<u8>>()).expect("a file");
        symlink("README", folder.join("link")).expect("a link");
        let head = this.head();
        this.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{head},sub")]);
        // For `git add`, a submodule that is not there would be one that was deleted.
        fs::create_dir(folder.join("sub")).expect("a folder");
        this.commit();
        this
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes a file of the worktree.
    ///
    /// # Panics
    /// If that fails.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let file = self.folder.join(path);
        fs::create_dir_all(file.parent().expect("a folder above the file")).expect("a folder");
        fs::write(file, content).expect("a file");
    }

    /// Commits everything in the worktree.
    ///
    /// # Panics
    /// If git refuses.
    #[expect(clippy::must_use_candidate, reason = "most callers want what it does alone")]
    pub fn commit(&self) -> CommitSha {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message=change"]);
        self.head()
    }

    /// The tip of the branch that is checked out.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn head(&self) -> CommitSha {
        CommitSha::parse(self.git(&["rev-parse", "HEAD"])).expect("a commit")
    }

    /// The tree of the tip.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn tree(&self) -> TreeSha {
        TreeSha::parse(self.git(&["rev-parse", "HEAD^{tree}"])).expect("a tree")
    }

    /// The tree of a commit.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn tree_of(&self, commit: &CommitSha) -> TreeSha {
        TreeSha::parse(self.git(&["rev-parse", &format!("{commit}^{{tree}}")])).expect("a tree")
    }

    /// Removes a file of the worktree, and the folders above that are empty then.
    ///
    /// # Panics
    /// If it is not there.
    pub fn remove(&self, path: &str) {
        let file = self.folder.join(path);
        fs::remove_file(&file).expect("a file to remove");
        let above = file.ancestors().skip(1).take_while(|folder| *folder != self.folder);
        for folder in above {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
    }

    /// Makes a file of the worktree executable, or takes that away.
    ///
    /// # Panics
    /// If it is not there.
    pub fn set_executable(&self, path: &str, executable: bool) {
        let mode = fs::Permissions::from_mode(if executable { 0o755 } else { 0o644 });
        fs::set_permissions(self.folder.join(path), mode).expect("a mode");
    }

    /// The tree of what is in the index.
    ///
    /// # Panics
    /// If git refuses.
    #[must_use]
    pub fn write_tree(&self) -> TreeSha {
        TreeSha::parse(self.git(&["write-tree"])).expect("a tree")
    }

    /// Puts bytes into the index as they are, past filters and attributes.
    ///
    /// # Panics
    /// If git refuses.
    pub fn put(&self, path: &str, mode: &str, content: &[u8]) {
        let object = self.git_with(&["hash-object", "-w", "--stdin"], content);
        self.git(&["update-index", "--add", "--replace", "--cacheinfo", &format!("{mode},{object},{path}")]);
    }

    /// Runs git in the worktree; answers what it writes, without the end of the line.
    ///
    /// # Panics
    /// If git cannot be run, or fails.
    #[expect(clippy::must_use_candidate, reason = "most callers want what it does alone")]
    pub fn git(&self, arguments: &[&str]) -> String {
        self.git_with(arguments, b"")
    }

    fn git_with(&self, arguments: &[&str], input: &[u8]) -> String {
        let mut child = Command::new("git")
            .args(["-c", "user.name=Nobody", "-c", "user.email=nobody@example.com", "-c", "core.autocrlf=false"])
            .args(arguments)
            .current_dir(&self.folder)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs([("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null"), ("LC_ALL", "C")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("git can be run");
        child.stdin.take().expect("an input").write_all(input).expect("git reads its input");
        let output = child.wait_with_output().expect("git ends");
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {message}");
        String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned()
    }
}
