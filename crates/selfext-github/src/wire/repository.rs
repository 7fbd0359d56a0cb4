//! The repository.

use selfext_domain::MergeMethod;
use serde::Deserialize;

/// Which repository it is.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct RepositoryBody {
    /// The number that stays whatever the repository is called.
    pub(crate) id: u64,
    /// The same for GraphQL.
    pub(crate) node_id: String,
    pub(crate) full_name: String,
}

/// What is set in it.
#[derive(Debug, Deserialize)]
pub(crate) struct RepositorySettings {
    pub(crate) id: u64,
    pub(crate) full_name: String,
    pub(crate) default_branch: String,
    #[serde(default)]
    pub(crate) archived: bool,
    /// These are missing where the credential may not write.
    #[serde(default)]
    allow_squash_merge: Option<bool>,
    #[serde(default)]
    allow_merge_commit: Option<bool>,
    #[serde(default)]
    allow_rebase_merge: Option<bool>,
}

impl RepositorySettings {
    /// The ways of merging that it allows, where that is shown.
    pub(crate) fn methods(&self) -> Option<Vec<MergeMethod>> {
        let said = [
            (MergeMethod::Squash, self.allow_squash_merge?),
            (MergeMethod::Merge, self.allow_merge_commit?),
            (MergeMethod::Rebase, self.allow_rebase_merge?),
        ];
        Some(said.into_iter().filter(|(_, allowed)| *allowed).map(|(method, _)| method).collect())
    }
}
