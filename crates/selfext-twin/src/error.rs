//! What can go wrong with a twin as a whole.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::git::GitError;

/// Why a twin could not be opened, served or controlled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TwinError {
    /// The path is not a git repository that the twin can serve, or git failed on it.
    #[error("the git repository cannot be used")]
    Git(#[from] GitError),
    /// Another twin, in this process or another one, serves the repository.
    #[error("another twin already serves the repository {0}")]
    InUse(PathBuf),
    /// The twin's files beside the repository cannot be read or written.
    #[error("the twin's file {path} cannot be used")]
    Files {
        /// The file or directory.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The state file is not what a twin has written.
    #[error("the twin's state file {path} is damaged")]
    DamagedState {
        /// The file.
        path: PathBuf,
        /// Where it is damaged.
        #[source]
        source: serde_json::Error,
    },
    /// The state file was written by a later version of the twin.
    #[error("the twin's state file {path} has version {found}, newer than this twin knows")]
    NewerState {
        /// The file.
        path: PathBuf,
        /// The version it has.
        found: u32,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A twin that asks for no token would have been reachable from other machines.
    #[error("{0} is not a loopback address, and the twin asks for no token")]
    NotLoopback(SocketAddr),
    /// The twin has been shut down; nothing can be changed through its handle any more.
    #[error("the twin has been shut down")]
    Closed,
    /// A commit, branch or path named in a call of the handle does not exist or has an impossible name.
    #[error("the repository has no {0}")]
    NoSuchThing(String),
    /// GitHub would not do it either, and says so in these words.
    #[error("{0}")]
    Refused(String),
    /// A ref was moved by somebody else at the same moment.
    #[error("the ref {0} was moved by somebody else")]
    RefMoved(String),
}
