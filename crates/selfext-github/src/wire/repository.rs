//! The repository.

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
