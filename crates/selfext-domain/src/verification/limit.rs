//! The limits of a stage.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A limit that ended a stage, where that can be known. The limit on time as such is [`StageResult::TimedOut`].
///
/// A program that asks for more memory, files or processes than it may have is refused by the system and goes on as it likes:
/// only its output can say so then.
///
/// [`StageResult::TimedOut`]: crate::StageResult::TimedOut
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// The processor time of one process.
    CpuTime,
    /// Memory.
    Memory,
    /// The size of one file.
    FileSize,
    /// What all files of the run hold together.
    Disk,
    /// The output, all of it.
    Output,
    /// The number of processes.
    Processes,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CpuTime => "processor time",
            Self::Memory => "memory",
            Self::FileSize => "the size of a file",
            Self::Disk => "disk space",
            Self::Output => "output",
            Self::Processes => "the number of processes",
        })
    }
}
