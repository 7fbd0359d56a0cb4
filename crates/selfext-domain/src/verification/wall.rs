//! What stood between a candidate and the machine while it ran.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing that a candidate must not reach or exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wall {
    /// It gets no variable and no open file of the agent's but those that are listed.
    Environment,
    /// It reads what is listed and writes in its own folders alone.
    Files,
    /// It reaches nobody over a socket.
    Network,
    /// Whatever it starts ends with its stage.
    Processes,
    /// It can neither read nor signal processes of others.
    Neighbours,
    /// Its memory, processor time, files, processes and output are bounded.
    Limits,
}

impl Wall {
    /// The word in the ledger and on the forge.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::Files => "files",
            Self::Network => "network",
            Self::Processes => "processes",
            Self::Neighbours => "neighbours",
            Self::Limits => "limits",
        }
    }
}

impl fmt::Display for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a wall is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mechanism {
    /// The environment was cleared, and every descriptor but the three standard ones closed.
    Cleared,
    /// A file system of its own, in which only what is listed appears.
    MountNamespace,
    /// Landlock.
    Landlock,
    /// A network of its own, which leads nowhere.
    NetworkNamespace,
    /// A filter of system calls.
    Seccomp,
    /// Process ids of its own, whose first process takes all others with it.
    PidNamespace,
    /// A process above it to which everything that it leaves behind falls, and which ends all of that.
    Keeper,
    /// Resource limits of the operating system.
    ResourceLimits,
    /// A control group.
    Cgroup,
    /// selfext looks again and again, and ends the stage.
    Watch,
    /// A process group, which is killed. What leaves it is not.
    ProcessGroup,
}

impl Mechanism {
    /// The word in the ledger and on the forge.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cleared => "cleared",
            Self::MountNamespace => "mount-namespace",
            Self::Landlock => "landlock",
            Self::NetworkNamespace => "network-namespace",
            Self::Seccomp => "seccomp",
            Self::PidNamespace => "pid-namespace",
            Self::Keeper => "keeper",
            Self::ResourceLimits => "resource-limits",
            Self::Cgroup => "cgroup",
            Self::Watch => "watch",
            Self::ProcessGroup => "process-group",
        }
    }
}

/// Whether a wall stood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum WallState {
    /// It stood; each of these would have held alone, or they held together.
    Stood {
        /// What it was made of.
        by: Vec<Mechanism>,
    },
    /// The rules opened it for this stage.
    Opened,
    /// This machine does not offer it.
    Missing {
        /// What is missing and why; redacted.
        why: String,
    },
}

/// One wall around one stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WallReport {
    /// Which.
    pub wall: Wall,
    /// Whether it stood.
    #[serde(flatten)]
    pub state: WallState,
}

impl WallReport {
    /// Why the wall was missing, if it was.
    #[must_use]
    pub fn missing(&self) -> Option<&str> {
        match &self.state {
            WallState::Missing { why } => Some(why),
            WallState::Stood { .. } | WallState::Opened => None,
        }
    }
}

impl fmt::Display for WallReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            WallState::Stood { by } => {
                let names: Vec<_> = by.iter().map(|mechanism| mechanism.as_str()).collect();
                write!(f, "{} ({})", self.wall, names.join(", "))
            }
            WallState::Opened => write!(f, "{} (opened by the rules)", self.wall),
            WallState::Missing { why } => write!(f, "{} MISSING ({why})", self.wall),
        }
    }
}
