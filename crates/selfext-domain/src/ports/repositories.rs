//! The port of what is remembered of repositories.

use async_trait::async_trait;

use super::LedgerError;
use crate::RepositoryName;

/// Remembers which repository a name led to when it was first used. A name may come to be another repository's; the number that
/// the forge gave it never does.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Repositories: Send + Sync {
    /// Remembers the number of the repository that a name leads to at a forge, unless one was remembered, and answers the one that
    /// was remembered first. `forge` is where its API is. The case of the name does not count. Durable when it returns; nothing
    /// can change it afterwards. May be repeated. One round trip.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`], and then it is not known which number was remembered.
    async fn remember(&self, forge: &str, repository: &RepositoryName, number: u64) -> Result<u64, LedgerError>;
}
