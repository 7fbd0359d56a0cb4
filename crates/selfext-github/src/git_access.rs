//! What git needs to fetch the repository: where it is now, and a token that is good now.

use selfext_domain::RepositoryName;
use selfext_domain::ports::ForgeError;

use crate::forge::OctocrabForge;
use crate::token::SecretToken;

/// What the repository is called now, and a token that may read it. Shows no token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitAccess {
    /// The name.
    pub repository: RepositoryName,
    /// The token. An App's lives for an hour at most.
    pub token: SecretToken,
}

impl OctocrabForge {
    /// The repository's name and a token, as they are now. GitHub is asked only for what is not known yet.
    ///
    /// # Errors
    /// As [`Forge`](selfext_domain::ports::Forge)'s methods.
    pub async fn git_access(&self) -> Result<GitAccess, ForgeError> {
        let client = self.client();
        let bound = client.bound().await?;
        let token = client.credential().await?.token.clone();
        Ok(GitAccess { repository: bound.name.clone(), token })
    }

    /// Looks again after git was refused, or told that the repository has moved: what there is instead, or nothing if all is as
    /// it was.
    ///
    /// # Errors
    /// As [`Forge`](selfext_domain::ports::Forge)'s methods.
    pub async fn git_access_instead_of(&self, refused: &GitAccess) -> Result<Option<GitAccess>, ForgeError> {
        // A token that is not taken any more is renewed by this, and a new name found.
        self.client().confirm_visible().await?;
        let access = self.git_access().await?;
        Ok((access != *refused).then_some(access))
    }
}
