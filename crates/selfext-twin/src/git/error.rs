//! What can go wrong between the twin and the `git` program.

use std::io;

/// A call of the `git` program that did not give what it should.
///
/// These are faults of the machine or of the repository, never of a request: the twin answers them with 500.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitError {
    /// The program could not be started; usually it is not installed.
    #[error("could not start git")]
    Spawn(#[source] io::Error),
    /// The program ended with an error.
    #[error("git {command} failed ({status}): {stderr}")]
    Failed {
        /// The subcommand that failed.
        command: String,
        /// How the process ended.
        status: String,
        /// What it wrote to its standard error, trimmed.
        stderr: String,
    },
    /// A long-lived git process went away in the middle of a conversation.
    #[error("git {command} stopped answering")]
    Broken {
        /// The subcommand that went away.
        command: &'static str,
        /// The error of the pipe.
        #[source]
        source: io::Error,
    },
    /// The program answered in a form that the twin does not know.
    #[error("git {command} gave an answer that cannot be read: {answer}")]
    Unexpected {
        /// The subcommand that answered.
        command: &'static str,
        /// The first part of the answer.
        answer: String,
    },
    /// An object could not be handed to git through the scratch directory.
    #[error("could not hand an object to git")]
    Handover(#[source] io::Error),
    /// The repository stores its objects under a hash other than SHA-1, which GitHub does not serve.
    #[error("the repository uses the object format {0}, and only sha1 can be served")]
    ObjectFormat(String),
}

impl GitError {
    /// An answer that cannot be read, cut to a length fit for a log line.
    pub(super) fn unexpected(command: &'static str, answer: &[u8]) -> Self {
        let shown = &answer[..answer.len().min(200)];
        Self::Unexpected { command, answer: String::from_utf8_lossy(shown).into_owned() }
    }
}
