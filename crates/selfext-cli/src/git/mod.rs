//! Asking git about the operator's own repository.

mod raw_diff;

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

pub use raw_diff::{RawEntry, parse as parse_raw, parse_blobs};

use crate::exit::usage;

/// Variables that would turn git away from the folder it is asked about; a hook of git's sets some of them.
const MISLEADING: &[&str] = &[
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
];

/// git in one folder.
pub struct Git {
    folder: PathBuf,
    variables: Vec<(&'static str, OsString)>,
}

impl Git {
    pub fn in_folder(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), variables: Vec::new() }
    }

    /// The same with a variable in git's environment.
    pub fn with(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// What git prints.
    ///
    /// # Errors
    /// What git says, as an error of what was typed, if it refuses.
    pub fn run<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Result<Vec<u8>> {
        self.run_with_input(args, &[])
    }

    /// What git prints on one line, without its end.
    pub fn line<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Result<OsString> {
        use std::os::unix::ffi::OsStringExt as _;

        let mut line = self.run(args)?;
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        Ok(OsString::from_vec(line))
    }

    /// A place of the folder's repository, as `git rev-parse` names it by `option`. An error speaks of the folder as `shown`.
    pub fn place(&self, option: &str, shown: &str) -> Result<OsString> {
        self.line(["rev-parse", "--path-format=absolute", option]).map_err(|error| {
            if error.to_string().contains("not a git repository") {
                usage(format!("{shown} is no git repository"))
            } else {
                error.context(format!("{shown} cannot be used"))
            }
        })
    }

    /// What git prints where it says by exit code 1 that it found something, as `diff` does.
    pub fn run_where_1_is_well<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Result<Vec<u8>> {
        self.run_to(args, &[], &[0, 1])
    }

    /// What git prints when it is given an input.
    pub fn run_with_input<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>, input: &[u8]) -> Result<Vec<u8>> {
        self.run_to(args, input, &[0])
    }

    fn run_to<S: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
        input: &[u8],
        well: &[i32],
    ) -> Result<Vec<u8>> {
        let mut command = Command::new("git");
        command
            .arg("-C")
            .arg(&self.folder)
            .args(["-c", "core.fsmonitor=false", "-c", "core.quotePath=false"])
            .args(args);
        for name in MISLEADING {
            command.env_remove(name);
        }
        command.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_LITERAL_PATHSPECS", "1").env("LC_ALL", "C");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().context("git could not be started; is it installed?")?;
        let pipe = child.stdin.take();
        let output = std::thread::scope(|scope| {
            // A git that does not read to the end says itself why.
            scope.spawn(move || pipe.map(|mut pipe| pipe.write_all(input)));
            child.wait_with_output()
        });
        let output = output.context("git could not be waited for")?;
        if !output.status.code().is_some_and(|code| well.contains(&code)) {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(usage(format!("git in {} said: {}", self.folder.display(), said.trim())));
        }
        Ok(output.stdout)
    }
}
