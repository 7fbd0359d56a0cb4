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
//!   configuration is written by selfext and put back if it was altered; attributes beside those of the trees, and places
//!   where else git would find objects, are removed from it.
//! - **No `.git` in the worktree.** A linked worktree would hand the cache's configuration to the candidate. Stages that ask
//!   git find no repository, also not one above the cache (`GIT_CEILING_DIRECTORIES`).
//! - **No environment of the agent's.** A stage gets `PATH` (its absolute parts), `LANG`, `CI`, `SELFEXT`, `HOME` and
//!   `TMPDIR` (fresh folders that only this run has), `GIT_CEILING_DIRECTORIES`, the few variables that say where
//!   tool chains are installed ([`StageEnvironment`]), and what the rules name, but never what looks like a secret. `CARGO_HOME`
//!   is not among them: it holds credentials.
//! - **No descriptor of the agent's.** Everything but the output pipe is closed when a stage's program starts.
//! - **Nothing outlives a stage.** Above each stage stands a keeper, which ends everything below it when the stage's own process
//!   has ended, at a limit, when the future is dropped, and when the agent is gone, even if it was killed.
//! - **Files, network, other processes and limits**, by what this machine offers:
//!
//! | wall | with namespaces (Linux 5.12, where an ordinary user may make them) | without them |
//! | --- | --- | --- |
//! | files | a file system of its own, of what is listed; Landlock | Landlock (Linux 6.2) |
//! | network | a network of its own, with a loopback; a filter for what passes by it | a filter: no socket at all |
//! | processes | process ids of its own, whose first process takes all with it | a keeper to which all that is left behind falls |
//! | neighbours | process ids of its own; Landlock | Landlock (Linux 6.12) |
//! | limits | resource limits, control groups where some can be made, and looking | the same |
//!
//! What is found is tried before the first stage; each [`StageReport`](selfext_domain::StageReport) says which walls stood, of
//! what, and which were missing. Capabilities are given up, root's too, and programs that bring rights of their own get none.
//!
//! # What a stage sees
//!
//! What was tested is what lands, so a stage sees the bytes that an ordinary clone of the candidate's tree holds: one that is made
//! on Linux without any configuration. What attributes ask of git itself is done (line ends, `ident`, `working-tree-encoding`),
//! whether the base or the candidate brings them; what they ask of programs is not (`filter`, `diff`, `merge`: `filter=lfs` leaves
//! the pointer files), nor what archives alone do (`export-subst`, `export-ignore`). A submodule is an empty folder.
//!
//! # How large trees may be
//!
//! One object may stand in a tree any number of times, so that a small repository may hold a tree that fills every disk. Names and
//! sizes are looked at before anything is checked out, and what takes more than the largest `limits.disk_bytes` of the stages is
//! refused; files that attributes make larger are stopped at the same limit. A listing ends at 256 MiB, a path in a worktree where
//! nobody could look after it any more (3,500 bytes, with the folders above), and a change writes at most 128 folders deep.
//!
//! # What takes a change back
//!
//! An inverse is made of the blobs as they are: no filter, no attribute and no rename is looked at. A file that others changed
//! too is merged line by line with `git merge-file`, if nothing that it held in the three commits has a NUL byte or is larger than
//! 8 MiB; what is restored and merged together is at most 192 MiB. Everything beyond that is a conflict for a person.
//!
//! # What a stage may read
//!
//! `/usr`, `/bin`, `/lib*`, `/sbin`, `/opt`, the parts of `/etc` that hold no secret, the folders on `PATH` and the tool chains
//! that were found, packages that cargo and go have (not cargo's credentials), and what [`VerifierConfig::read_paths`] names.
//! It writes in its worktree, its home and its temporary folder.
//!
//! # Dependencies
//!
//! A stage with `on_base` runs in a worktree of the base, before the candidate is there and with nothing of it in reach. Its home,
//! and the paths that the rules name, are kept in the cache under a key over the stage, its lock files, its environment and what
//! was prepared before it. Each run gets a copy: what a candidate does to it ends with its run. Eight such layers are kept, those
//! used last. What is not in the key, such as a tool chain that changes in its place, is not noticed: delete the folder `prepared`
//! in the cache then. A candidate that changes a lock file or a kept path, which an operator has to allow, has the stage run on
//! itself, and nothing of that is kept.
//!
//! # What does not hold
//!
//! - Without namespaces, Landlock holds back neither the change of a file's mode, owner or times by its path, nor the look whether
//!   a path exists; programs that want `/tmp` itself get none; the arguments of other processes can be read.
//! - Memory and processor time are bounded for each process by the system; all processes together only by control groups, where
//!   some can be made, and by looking four times a second. The same goes for disk space.
//! - Root's processes can be counted by control groups alone. Where none can be made, that wall is missing.
//! - With the network opened by the rules, a stage reaches what this machine reaches.
//! - A kernel that can be broken from within is no wall.
//! - **macOS** gets the cleared environment, sessions that are killed as a group, and limits on processor time, file size and open
//!   files: every other wall is reported as missing. **Windows** is not served.

mod cache;
mod candidate;
mod config;
mod error;
mod git;
mod inverse;
mod prepared;
mod process;
mod run_folder;
mod secret;
mod source;
mod stage;
mod verifier;

pub use config::{VerifierConfig, WithoutWalls};
pub use secret::Secret;
pub use source::{GitSource, InvalidUrl, Remote, RemoteAccess, RemoteUrl};
pub use stage::StageEnvironment;
pub use verifier::WorktreeVerifier;
