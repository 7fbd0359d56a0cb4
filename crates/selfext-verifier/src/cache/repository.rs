//! The cache's repository, and what is asked of it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use selfext_domain::ports::VerifierError;
use selfext_domain::{CommitSha, RepoPath, TreeSha};

use crate::error::{blocking, unavailable};
use crate::git::{Git, GitCall};

/// Bytes of paths on one command line; more than one path may have.
const ARGUMENTS: usize = 96 << 10;

/// How git names objects in a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ObjectFormat {
    Sha1,
    Sha256,
}

impl ObjectFormat {
    /// The format of an object's full name.
    pub(crate) const fn of(name: &str) -> Self {
        if name.len() == 64 { Self::Sha256 } else { Self::Sha1 }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    /// The name of no object.
    pub(crate) fn null(self) -> String {
        "0".repeat(if self == Self::Sha256 { 64 } else { 40 })
    }

    /// The whole configuration of a repository of this format. Anything else in its place was not written by selfext.
    const fn configuration(self) -> &'static str {
        match self {
            Self::Sha1 => "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n",
            Self::Sha256 => {
                "[core]\n\trepositoryformatversion = 1\n\tfilemode = true\n\tbare = true\n[extensions]\n\tobjectformat = sha256\n"
            }
        }
    }
}

/// The cache's repository.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    git: Git,
    folder: PathBuf,
    format: ObjectFormat,
}

impl Repository {
    pub(super) fn new(git: Git, cache: &Path, format: ObjectFormat) -> Self {
        Self { git, folder: cache.join(format!("{}.git", format.as_str())), format }
    }

    pub(crate) const fn format(&self) -> ObjectFormat {
        self.format
    }

    /// A call of git in this repository.
    pub(crate) fn call(&self, what: &'static str) -> GitCall {
        let mut place = std::ffi::OsString::from("--git-dir=");
        place.push(&self.folder);
        self.git.call(what).arg(place)
    }

    /// Whether it is there, with its own configuration, no borrowed objects, and no attributes beside those of the trees.
    pub(super) async fn is_mended(&self) -> Result<bool, VerifierError> {
        let (folder, format) = (self.folder.clone(), self.format);
        blocking("the cache's repository cannot be read", move || {
            let foreign = FOREIGN.iter().any(|file| folder.join(file).symlink_metadata().is_ok());
            Ok(is_right(&folder.join("config"), format)? && !foreign)
        })
        .await
    }

    /// Makes it, or puts back its configuration. The caller holds the cache's lock.
    pub(super) async fn create_or_mend(&self, cache: &Path) -> Result<(), VerifierError> {
        if self.is_mended().await? {
            return Ok(());
        }
        let (folder, format, cache) = (self.folder.clone(), self.format, cache.to_owned());
        let exists = blocking(NOT_MADE, move || {
            if !folder.join("HEAD").try_exists()? {
                return Ok(false);
            }
            tracing::warn!("the configuration of the verifier's cache was altered; it is put back");
            configure(&folder, format, &cache)?;
            Ok(true)
        })
        .await?;
        if exists { Ok(()) } else { self.create().await }
    }

    /// Makes the repository beside its place and moves it there, so that no half of one is ever found. The caller holds the
    /// cache's lock, so that a draft that is there already is of a process that died.
    async fn create(&self) -> Result<(), VerifierError> {
        let (target, format) = (self.folder.clone(), self.format);
        let cache = target.parent().unwrap_or(&target).to_owned();
        let draft = cache.join("draft.git");
        blocking(NOT_MADE, {
            let draft = draft.clone();
            move || unless_gone(fs::remove_dir_all(draft))
        })
        .await?;
        let call = self.git.call(NOT_MADE);
        call.args(["init", "--quiet", "--bare", "--template=", "--initial-branch=selfext"])
            .arg(format!("--object-format={}", format.as_str()))
            .arg(&draft)
            .output()
            .await?;
        blocking(NOT_MADE, move || {
            configure(&draft, format, &cache)?;
            fs::rename(&draft, &target)
        })
        .await
    }

    /// The tree of a commit; `None` if there is no such commit.
    pub(crate) async fn tree_of(&self, commit: &CommitSha) -> Result<Option<TreeSha>, VerifierError> {
        let call = self
            .call("the base commit cannot be looked up")
            .args(["cat-file", "--batch-check=%(objectname) %(objecttype)"]);
        let output = call.input(format!("{commit}\n{commit}^{{tree}}\n")).output().await?;
        let output = String::from_utf8_lossy(&output);
        let mut lines = output.lines();
        if lines.next() != Some(&format!("{commit} commit")) {
            return Ok(None);
        }
        let tree = lines.next().and_then(|line| line.strip_suffix(" tree"));
        tree.map(parse_tree).transpose()
    }

    /// The object and size of a regular file of a commit; `None` for anything else.
    pub(crate) async fn find_regular_file(
        &self,
        commit: &CommitSha,
        path: &RepoPath,
    ) -> Result<Option<(String, u64)>, VerifierError> {
        let call = self.call("a file of the base cannot be looked up");
        let output =
            call.args(["ls-tree", "-z", "-l", "--full-tree", commit.as_str(), "--", path.as_str()]).output().await?;
        let output = String::from_utf8_lossy(&output);
        let Some((about, _)) = output.split_once('\t') else {
            return Ok(None);
        };
        let words: Vec<&str> = about.split_ascii_whitespace().collect();
        let [mode, "blob", object, size] = words[..] else {
            return Ok(None);
        };
        if !mode.starts_with("100") {
            return Ok(None);
        }
        let size = size.parse().map_err(|_| unavailable("git told the size of a file in an unknown form"))?;
        Ok(Some((object.to_owned(), size)))
    }

    /// What a commit has at some paths, files, links, submodules and folders alike, each by its mode and object. A whole tree is
    /// not gone through, however large it is.
    pub(super) async fn entries_at(
        &self,
        commit: &CommitSha,
        paths: &[RepoPath],
    ) -> Result<BTreeMap<Vec<u8>, String>, VerifierError> {
        const WHAT: &str = "two commits of the base cannot be compared";
        let mut entries = BTreeMap::new();
        let mut rest = paths;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fitting = rest.iter().take_while(|path| {
                bytes += path.as_str().len() + 1;
                bytes <= ARGUMENTS
            });
            let (now, later) = rest.split_at(fitting.count());
            rest = later;
            // A folder is listed also where something in it is asked for.
            let call = self.call(WHAT).args(["ls-tree", "-t", "-z", "--full-tree", commit.as_str(), "--"]);
            let output = call.args(now.iter().map(RepoPath::as_str)).output().await?;
            for line in output.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
                let tab = line.iter().position(|byte| *byte == b'\t').ok_or_else(|| unavailable(WHAT))?;
                let about = String::from_utf8_lossy(&line[..tab]).into_owned();
                entries.insert(line[tab + 1..].to_vec(), about);
            }
        }
        Ok(entries)
    }

    pub(super) async fn blob(&self, object: &str) -> Result<Vec<u8>, VerifierError> {
        self.call("a file of the base cannot be read").args(["cat-file", "blob", object]).output().await
    }
}

pub(crate) fn parse_tree(text: &str) -> Result<TreeSha, VerifierError> {
    TreeSha::parse(text.trim_end())
        .map_err(|error| crate::error::unavailable_by("git named a tree in an unknown form", error))
}

const NOT_MADE: &str = "the cache's repository cannot be made";
/// What the cache never holds: where else git finds objects, and attributes and histories that no commit has.
const FOREIGN: &[&str] = &["objects/info/alternates", "objects/info/http-alternates", "info/attributes", "info/grafts"];

fn is_right(file: &Path, format: ObjectFormat) -> io::Result<bool> {
    match fs::read(file) {
        Ok(found) => Ok(found == format.configuration().as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn configure(repository: &Path, format: ObjectFormat, cache: &Path) -> io::Result<()> {
    let draft = cache.join("draft.config");
    fs::write(&draft, format.configuration())?;
    fs::rename(draft, repository.join("config"))?;
    FOREIGN.iter().try_for_each(|file| remove(&repository.join(file)))
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(about) if about.is_dir() => fs::remove_dir_all(path),
        _ => unless_gone(fs::remove_file(path)),
    }
}

fn unless_gone(result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}
