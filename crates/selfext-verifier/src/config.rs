//! What a verifier needs to know.

use std::path::PathBuf;
use std::time::Duration;

use crate::{GitSource, StageEnvironment};

/// Means that are not used around stages although the machine may offer them. Each is used by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WithoutWalls {
    /// Namespaces, of users, files, processes and the network.
    pub namespaces: bool,
    /// Landlock.
    pub landlock: bool,
    /// Control groups.
    pub control_groups: bool,
}

/// What a [`WorktreeVerifier`](crate::WorktreeVerifier) needs to know.
#[derive(Clone, Debug)]
pub struct VerifierConfig {
    /// Where base commits come from.
    pub source: GitSource,
    /// The folder of the cache and of the runs' worktrees; made with access for this user alone. One folder serves one
    /// source, for any number of verifiers and processes at once. It may be deleted while none of them works.
    pub cache: PathBuf,
    /// The git program; `git` by default, looked for on the stages' `PATH`. Version 2.38 or newer.
    pub git: PathBuf,
    /// What stages get of this process's environment.
    pub environment: StageEnvironment,
    /// What stages may read and run on this machine besides the system's programs and the tool chains that are found: absolute
    /// paths. It is the operator's of this machine to say, not the rules': those hold wherever the repository is verified.
    pub read_paths: Vec<PathBuf>,
    /// What is not used around stages although the machine may offer it. For tests of what then holds.
    pub without: WithoutWalls,
    /// How long one fetch may take; five minutes by default. Other calls of git have one minute.
    pub fetch_timeout: Duration,
}

impl VerifierConfig {
    /// The defaults, with [`StageEnvironment::of_this_process`].
    #[must_use]
    pub fn new(source: GitSource, cache: impl Into<PathBuf>) -> Self {
        Self {
            source,
            cache: cache.into(),
            git: PathBuf::from("git"),
            environment: StageEnvironment::of_this_process(),
            read_paths: Vec::new(),
            without: WithoutWalls::default(),
            fetch_timeout: Duration::from_mins(5),
        }
    }
}
