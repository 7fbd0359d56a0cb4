//! Rules of branches and of the repository.

use serde::{Deserialize, Serialize};

use super::{MergeMethod, QueueRules};

/// Where a rule lives on GitHub, and so which endpoint shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProtectionSource {
    /// Classic protection, shown by `branches/{branch}/protection`.
    Classic,
    /// A ruleset of the repository, shown by `rules/branches/{branch}`.
    Ruleset,
}

/// A check that must have passed before a merge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequiredCheck {
    /// The context of a status or the name of a check run.
    pub context: String,
    /// The only app whose report counts; statuses then do not count at all.
    pub app_id: Option<u64>,
}

impl RequiredCheck {
    /// A check that anybody may report.
    pub fn new(context: impl Into<String>) -> Self {
        Self { context: context.into(), app_id: None }
    }

    /// The same check, pinned to one app.
    #[must_use]
    pub fn by_app(mut self, id: u64) -> Self {
        self.app_id = Some(id);
        self
    }
}

/// The protection of one branch. It also forbids deleting the branch and moving it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protection {
    /// Where the rule lives.
    pub source: ProtectionSource,
    /// The checks that must have passed.
    pub required: Vec<RequiredCheck>,
    /// Whether a head must hold everything that is in the base.
    pub strict: bool,
    /// How many approving reviews a pull request must have.
    #[serde(default)]
    pub approvals: u32,
    /// Whether changes must be made through a merge queue.
    #[serde(default)]
    pub merge_queue: bool,
    /// How that queue works.
    #[serde(default)]
    pub queue: QueueRules,
}

impl Protection {
    /// Classic protection with these required contexts, not strict.
    pub fn classic<C: Into<String>>(contexts: impl IntoIterator<Item = C>) -> Self {
        Self::new(ProtectionSource::Classic, contexts)
    }

    /// A ruleset with these required contexts, not strict.
    pub fn ruleset<C: Into<String>>(contexts: impl IntoIterator<Item = C>) -> Self {
        Self::new(ProtectionSource::Ruleset, contexts)
    }

    fn new<C: Into<String>>(source: ProtectionSource, contexts: impl IntoIterator<Item = C>) -> Self {
        let required = contexts.into_iter().map(RequiredCheck::new).collect();
        Self { source, required, strict: false, approvals: 0, merge_queue: false, queue: QueueRules::default() }
    }

    /// The same, and heads must be up to date before merging.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// The same, with this many approving reviews.
    #[must_use]
    pub fn approvals(mut self, count: u32) -> Self {
        self.approvals = count;
        self
    }

    /// The same, and changes must be made through a merge queue.
    #[must_use]
    pub fn merge_queue(mut self) -> Self {
        self.merge_queue = true;
        self
    }

    /// The same, with a merge queue that merges so.
    #[must_use]
    pub fn queue_method(mut self, method: MergeMethod) -> Self {
        self.queue.method = method;
        self.merge_queue()
    }

    /// The same, with a merge queue that looks at the last commit of a group alone.
    #[must_use]
    pub fn head_green(mut self) -> Self {
        self.queue.head_green = true;
        self.merge_queue()
    }
}

/// Which ways of merging the repository allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeMethods {
    /// Merge commits.
    pub merge: bool,
    /// Squashing into one commit.
    pub squash: bool,
    /// Rebasing.
    pub rebase: bool,
}

impl Default for MergeMethods {
    /// All of them, as in a new repository.
    fn default() -> Self {
        Self { merge: true, squash: true, rebase: true }
    }
}
