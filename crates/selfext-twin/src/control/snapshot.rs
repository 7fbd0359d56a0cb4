//! A pull request as a test sees it.

/// A pull request as the twin has recorded it, without asking the repository again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullSnapshot {
    /// The number.
    pub number: u64,
    /// The title.
    pub title: String,
    /// The body, if it has one.
    pub body: Option<String>,
    /// The branch to be merged.
    pub head: String,
    /// The branch to be merged into.
    pub base: String,
    /// The last commit that the head was seen at.
    pub head_sha: String,
    /// Whether it is open.
    pub open: bool,
    /// The commit that it was merged as, if it was merged.
    pub merged_as: Option<String>,
}
