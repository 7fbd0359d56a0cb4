//! A repository on this machine: found, locked, and served by a twin for as long as a command runs.

mod base_files;
mod checkout;
mod lock;
mod serve;

pub use base_files::BaseFiles;
pub use serve::Local;

use std::path::{Path, PathBuf};

use anyhow::Result;
use selfext::{BranchName, Digest32, RepositoryName};

use crate::exit::usage;
use crate::git::Git;
use lock::Lock;

/// A repository on this machine that no other `selfext` works on.
pub struct Repository {
    path: PathBuf,
    git_dir: PathBuf,
    base: BranchName,
    name: RepositoryName,
    _lock: Lock,
}

impl Repository {
    /// Finds a repository with its base branch, and waits until no other `selfext` works on it.
    pub async fn find(path: &Path, base: &BranchName) -> Result<Self> {
        let shown = path.display();
        if !path.is_dir() {
            return Err(usage(format!("--local {shown}: there is no such folder")));
        }
        let here = Git::in_folder(path);
        let git_dir = PathBuf::from(here.place("--git-common-dir", &format!("--local {shown}"))?);
        let lock = Lock::take(&git_dir, path).await?;
        check_base(path, &here, base)?;
        let name = name_of(&git_dir)?;
        Ok(Self { path: path.to_owned(), git_dir, base: base.clone(), name, _lock: lock })
    }

    /// The name of the repository there, as the ledger has it. Waits for nobody.
    pub fn name_at(path: &Path) -> Result<RepositoryName> {
        let git_dir = Git::in_folder(path).place("--git-common-dir", &format!("--local {}", path.display()))?;
        name_of(Path::new(&git_dir))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The files of its base branch, as it stands now.
    pub const fn base_files(&self) -> BaseFiles<'_> {
        BaseFiles::new(self)
    }

    fn git(&self) -> Git {
        Git::in_folder(&self.git_dir)
    }

    fn base_ref(&self) -> String {
        format!("refs/heads/{}", self.base)
    }
}

fn check_base(path: &Path, git: &Git, base: &BranchName) -> Result<()> {
    if git.run(["rev-parse", "--verify", "--quiet", &format!("refs/heads/{base}^{{commit}}")]).is_ok() {
        return Ok(());
    }
    let shown = path.display();
    let branches = git.run(["for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads"])?;
    let branches = String::from_utf8_lossy(&branches);
    let branches: Vec<&str> = branches.lines().filter(|branch| !branch.starts_with("selfext/")).collect();
    if branches.is_empty() {
        return Err(usage(format!(
            "{shown} has no commits yet; write its rules with `selfext init`, and make the first commit on {base}"
        )));
    }
    Err(usage(format!(
        "{shown} has no branch {base}; name the branch that changes land on with --base: it has {}",
        branches.join(", ")
    )))
}

/// A name for a repository that has none: its folder's, with digits of its whole path, so that two folders of one name have
/// two ledgers' worth of runs.
fn name_of(git_dir: &Path) -> Result<RepositoryName> {
    let inside = git_dir.file_name().is_some_and(|name| name == ".git");
    let folder = if inside { git_dir.parent().unwrap_or(git_dir) } else { git_dir };
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name: String = name
        .strip_suffix(".git")
        .unwrap_or(&name)
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' })
        .take(60)
        .collect();
    let digest = Digest32::of(git_dir.as_os_str().as_encoded_bytes()).to_string();
    Ok(RepositoryName::parse(format!("local/{name}-{}", &digest[..8]))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_has_a_name_of_its_own() {
        let name = |path: &str| name_of(Path::new(path)).unwrap().to_string();
        assert!(name("/a/agent/.git").starts_with("local/agent-"));
        assert!(name("/a/agent.git").starts_with("local/agent-"));
        assert!(name("/a/my agent 1.2/.git").starts_with("local/my-agent-1-2-"));
        assert!(name("/.git").starts_with("local/-"));
        assert_ne!(name("/a/agent/.git"), name("/b/agent/.git"));
        assert!(name(&format!("/{}/.git", "ä".repeat(120))).len() < 80);
    }
}
