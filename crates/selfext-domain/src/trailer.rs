//! The commit metadata: one sorted JSON trailer.

use std::fmt::Write as _;

use crate::canonical::{self, CanonicalError};
use crate::{CommitSha, EventId, ExecutionContext, Fingerprint, RunId};

/// The key of the trailer.
const KEY: &str = "Selfext-Meta";

/// What a commit of selfext's says about itself, as `Selfext-Meta: {…}` in its last paragraph.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CommitMeta {
    /// The schema of this trailer; 1.
    pub schema: u32,
    /// The run.
    pub run_id: RunId,
    /// The `tested` event that covers this commit. No two commits of a run have the same, so none is like an earlier one.
    pub tested: EventId,
    /// The commit that was verified under it.
    pub base: CommitSha,
    /// The change set's content.
    pub fingerprint: Fingerprint,
    /// Where in the agent's work it was made.
    pub context: ExecutionContext,
}

impl CommitMeta {
    /// The version that this code writes.
    pub const SCHEMA: u32 = 1;

    /// The whole trailer line: sorted keys, ASCII only, on one line.
    ///
    /// # Errors
    /// Never in practice: the fields hold no floats.
    pub fn to_trailer(&self) -> Result<String, CanonicalError> {
        let json = canonical::to_string(self)?;
        let mut line = format!("{KEY}: ");
        for c in json.chars() {
            if c.is_ascii() {
                line.push(c);
            } else {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    // Writing to a String cannot fail.
                    let _ = write!(line, "\\u{unit:04x}");
                }
            }
        }
        Ok(line)
    }

    /// A commit message with the trailer as its last paragraph.
    ///
    /// # Errors
    /// As [`CommitMeta::to_trailer`].
    pub fn attach(&self, message: &str) -> Result<String, CanonicalError> {
        Ok(format!("{}\n\n{}\n", message.trim_end(), self.to_trailer()?))
    }

    /// Reads the trailer of a commit message; the last one counts, and only in the last paragraph.
    #[must_use]
    pub fn find(message: &str) -> Option<Self> {
        let paragraph = message.trim_end().rsplit("\n\n").next()?;
        let line = paragraph.lines().rev().find_map(|line| line.strip_prefix(KEY)?.strip_prefix(": "))?;
        serde_json::from_str(line).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GoalId, ToolName};

    fn meta() -> CommitMeta {
        let mut context = ExecutionContext::new(ToolName::parse("write").unwrap());
        context.goal_id = Some(GoalId::parse("größer 🦀").unwrap());
        CommitMeta {
            schema: CommitMeta::SCHEMA,
            run_id: RunId::parse("r1").unwrap(),
            tested: EventId::from_uuid(uuid::Uuid::from_u128(7)),
            base: CommitSha::parse("a".repeat(40)).unwrap(),
            fingerprint: Fingerprint::from_bytes([3; 32]),
            context,
        }
    }

    #[test]
    fn the_trailer_is_one_sorted_ascii_line_and_reads_back() {
        let text = meta().attach("Title\n\nBody\n").unwrap();
        let line = text.lines().last().unwrap();
        assert!(line.starts_with("Selfext-Meta: {\"base\":\"aaaa") && line.is_ascii());
        assert!(
            line.find("\"fingerprint\"") < line.find("\"run_id\"") && line.find("\"run_id\"") < line.find("\"schema\"")
        );
        assert_eq!(CommitMeta::find(&text), Some(meta()));
    }

    #[test]
    fn a_trailer_in_the_body_is_no_trailer() {
        let line = meta().to_trailer().unwrap();
        assert_eq!(CommitMeta::find(&format!("T\n\n{line}\n\nmore text\n")), None);
    }
}
