//! The git program and the environment it runs in.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::GitCall;

/// Settings for every call. They stand on the command line, where they win over any repository's configuration.
const SETTINGS: &[&str] = &[
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "core.askPass=",
    "core.autocrlf=false",
    "core.eol=lf",
    "core.symlinks=true",
    "core.protectNTFS=true",
    "core.protectHFS=true",
    // Larger ones are not held in memory where that can be helped.
    "core.bigFileThreshold=32m",
    "credential.helper=",
    "fetch.unpackLimit=1",
    "fetch.recurseSubmodules=false",
    "submodule.recurse=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "http.followRedirects=false",
    "transfer.bundleURI=false",
    "protocol.allow=never",
];

/// The whole environment of every call, besides `PATH`.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("LC_ALL", "C"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_LITERAL_PATHSPECS", "1"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    ("GIT_DEFAULT_REF_FORMAT", "files"),
];

/// The git program.
#[derive(Clone, Debug)]
pub(crate) struct Git {
    program: PathBuf,
    path: OsString,
}

impl Git {
    pub(crate) const fn new(program: PathBuf, path: OsString) -> Self {
        Self { program, path }
    }

    /// A call that does `what`, in words for an error.
    pub(crate) fn call(&self, what: &'static str) -> GitCall {
        // A program that is looked for in a path of the call's own is started by a fork, which copies the page tables of the whole
        // agent; one that is found already is not. Where none is found, starting it says so.
        let found = which::which_in(&self.program, Some(&self.path), "/");
        let mut command = Command::new(found.as_ref().unwrap_or(&self.program));
        command.env_clear().env("PATH", &self.path).envs(ENVIRONMENT.iter().copied());
        // Nothing is looked for in the folder that this process happens to stand in.
        command.current_dir("/").process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        GitCall::new(what, command)
    }

    /// What `--upload-pack` says for a source on this machine: git drops `-c` settings on the way into another repository.
    /// The source may belong to another user. That git refuses by default, for fear of commands in the configuration there;
    /// `upload-pack` takes none from it with these settings, and the operator named this repository.
    pub(crate) fn upload_pack() -> String {
        let mut words = "git -c 'safe.directory=*'".to_owned();
        for setting in SETTINGS {
            words.push_str(" -c '");
            words.push_str(setting);
            words.push('\'');
        }
        words.push_str(" upload-pack");
        words
    }
}
