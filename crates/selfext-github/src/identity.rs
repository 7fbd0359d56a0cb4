//! What the repository is, apart from its name.

use http::StatusCode;
use selfext_domain::ports::ForgeError;
use tokio::sync::OnceCell;

use crate::client::Client;
use crate::wire::RepositoryBody;

/// What was read of the repository, once it was.
pub(crate) type Identity = OnceCell<RepositoryBody>;

impl Client {
    /// What the repository is. Read once for all clones of the client; what failed is read again by whoever asks next.
    pub(crate) async fn identity(&self) -> Result<&RepositoryBody, ForgeError> {
        let read = async || self.get(self.repository_route()).await?.expect(StatusCode::OK, "repository");
        self.inner.identity.get_or_try_init(read).await
    }
}
