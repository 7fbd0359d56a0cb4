//! One piece of misbehaviour.

use std::time::Duration;

use serde_json::Value;

use super::Gate;
use super::pattern::Pattern;

/// What the twin does instead of answering as it should.
#[derive(Clone, Debug)]
pub enum FaultKind {
    /// Answers with this and does nothing.
    Answer {
        /// The status; one that HTTP does not know becomes 500.
        status: u16,
        /// Headers to send besides the usual ones; impossible ones are left out.
        headers: Vec<(String, String)>,
        /// The JSON body.
        body: Value,
    },
    /// Does the work, then answers with this instead.
    AnswerAfterwards {
        /// The status; one that HTTP does not know becomes 500.
        status: u16,
        /// The JSON body.
        body: Value,
    },
    /// Drops the connection and does nothing.
    Drop,
    /// Does the work, then drops the connection: the answer is lost.
    LoseAnswer,
    /// Does nothing and never answers; the connection stays open until the client or the twin closes it.
    Hang,
    /// Does the work and never answers.
    HangAfterwards,
    /// Waits, then does the work and answers. The work is done also if the client has gone away meanwhile.
    Delay(Duration),
    /// Waits at the gate, then does the work and answers. The work is done also if the client has gone away
    /// meanwhile.
    Hold(Gate),
    /// Does the work, then waits at the gate, then answers.
    HoldAnswer(Gate),
    /// Does the work and sends half of the body as if it were all: JSON that cannot be read.
    HalfJson,
    /// Does the work, promises the whole body, sends half of it and drops the connection.
    CutBody,
}

impl FaultKind {
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Answer { .. } => "answer",
            Self::AnswerAfterwards { .. } => "answer-afterwards",
            Self::Drop => "drop",
            Self::LoseAnswer => "lose-answer",
            Self::Hang => "hang",
            Self::HangAfterwards => "hang-afterwards",
            Self::Delay(_) => "delay",
            Self::Hold(_) => "hold",
            Self::HoldAnswer(_) => "hold-answer",
            Self::HalfJson => "half-json",
            Self::CutBody => "cut-body",
        }
    }
}

/// A rule that plays one kind of fault on certain requests.
#[derive(Clone, Debug)]
pub struct Fault {
    pub(super) pattern: Pattern,
    pub(super) skip: u32,
    pub(super) left: u32,
    pub(super) kind: FaultKind,
}

impl Fault {
    /// Plays `kind` on the next request with this method and path.
    ///
    /// The method may be `*`. The path is compared segment by segment after decoding, without the query; in it `*`
    /// stands for any one segment and `**` for any number of them, also none.
    #[must_use]
    pub fn on(method: &str, path: &str, kind: FaultKind) -> Self {
        Self { pattern: Pattern::new(method, path), skip: 0, left: 1, kind }
    }

    /// Lets the first `n - 1` matching requests pass (the first one is number 1).
    #[must_use]
    pub fn nth(mut self, n: u32) -> Self {
        self.skip = n.saturating_sub(1);
        self
    }

    /// Plays the fault on this many matching requests in a row instead of on one.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.left = times;
        self
    }
}
