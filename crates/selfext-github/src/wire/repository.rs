//! The repository.

use serde::Deserialize;

/// The repository as it is read.
#[derive(Debug, Deserialize)]
pub(crate) struct RepositoryBody {
    /// Its name in GraphQL.
    pub(crate) node_id: String,
}
