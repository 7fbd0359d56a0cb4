//! The verifier port of selfext: git worktrees and stages.
//!
//! [`WorktreeVerifier`] keeps a bare repository of its own as a cache, fetches base commits into it, makes candidate trees
//! there with git's plumbing alone, and runs the stages of the rules in a fresh folder for each run.
//!
//! # What stands between a candidate and the machine
//!
//! - **No hook, filter or helper runs.** git is called with an environment of its own: no system or user configuration, no
//!   `GIT_*` variable of the agent, no hooks, no credential helper, no prompt, and only the transport that the source needs.
//!   A source repository's configuration is read by `git upload-pack` alone, with lazy fetching off. The cache's
//!   configuration is written by selfext and put back if it was altered. What a repository's attributes can still do is
//!   what git does by itself (line ends, `ident`, encodings), as in any clone; `filter=lfs` leaves the pointer files.
//! - **No `.git` in the worktree.** A linked worktree would hand the cache's configuration to the candidate. Stages that ask
//!   git find no repository, also not one above the cache (`GIT_CEILING_DIRECTORIES`).
//! - **No environment of the agent's.** A stage gets `PATH` (its absolute parts), `LANG`, `CI`, `SELFEXT`, `HOME` and
//!   `TMPDIR` (fresh folders that only this run has), `GIT_CEILING_DIRECTORIES`, and the few variables that say where
//!   tool chains are installed ([`StageEnvironment`]). `CARGO_HOME` is not among them: it holds credentials.
//! - **No descriptor of the agent's.** Everything but the output pipe is closed when a stage's program starts.
//! - **A session and process group of its own**, killed as a whole when the stage's program ends, at the time limit, and when
//!   the future is dropped.
//!
//! What does not hold yet: a stage runs as the same user, so that it can read what that user can read (also
//! `/proc/<pid>/environ` of the agent, and of a git that is just fetching with a token), reach the network, use all memory, and leave its session before it
//! is killed. Linux and macOS are served; Windows is not.

mod cache;
mod candidate;
mod config;
mod error;
mod git;
mod process;
mod run_folder;
mod secret;
mod source;
mod stage;
mod verifier;

pub use config::VerifierConfig;
pub use secret::Secret;
pub use source::{GitSource, InvalidUrl, RemoteUrl};
pub use stage::StageEnvironment;
pub use verifier::WorktreeVerifier;
