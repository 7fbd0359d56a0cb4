//! Payloads without the stage reports that they carry.
//!
//! Reading a report redacts its output again, which takes ten times as long as reading the rest of the event.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Failed, Refusal, Tested};
use crate::{BranchName, CommitSha, Digest32, TreeSha};

/// [`Tested`], with reports of any shape.
#[derive(Deserialize)]
struct TestedHead {
    base_commit: CommitSha,
    tree: TreeSha,
    branch: BranchName,
    title: String,
    rules_sha256: Digest32,
    #[serde(rename = "stages")]
    _stages: Vec<IgnoredAny>,
    attempt: u32,
    holder: String,
}

/// [`Failed`], with reports of any shape.
#[derive(Deserialize)]
struct FailedHead {
    #[serde(flatten)]
    refusal: Refusal,
    #[serde(default, rename = "stages")]
    _stages: Vec<IgnoredAny>,
}

impl Tested {
    pub(super) fn read_without_reports(payload: &str) -> Result<Self, serde_json::Error> {
        let TestedHead { base_commit, tree, branch, title, rules_sha256, attempt, holder, .. } =
            serde_json::from_str(payload)?;
        Ok(Self { base_commit, tree, branch, title, rules_sha256, stages: Vec::new(), attempt, holder })
    }
}

impl Failed {
    pub(super) fn read_without_reports(payload: &str) -> Result<Self, serde_json::Error> {
        let FailedHead { refusal, .. } = serde_json::from_str(payload)?;
        Ok(Self { refusal, stages: Vec::new() })
    }
}
