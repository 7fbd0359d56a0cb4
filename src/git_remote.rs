//! Where git fetches a repository of the forge's from: as the forge knows it, with the forge's token.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use selfext_domain::RepositoryName;
use selfext_domain::ports::Source;
use selfext_github::{GitAccess, OctocrabForge};
use selfext_verifier::{InvalidUrl, Remote, RemoteAccess, RemoteUrl, Secret};
use url::Url;

/// Where git finds repositories: at the address that is given, or on the host of the API.
#[derive(Debug)]
pub(crate) struct GitAddress {
    pub(crate) given: Option<RemoteUrl>,
    pub(crate) api: Option<Url>,
}

impl GitAddress {
    /// Where git finds this one.
    pub(crate) fn of(&self, repository: &RepositoryName) -> Result<RemoteUrl, InvalidUrl> {
        if let Some(given) = &self.given {
            return Ok(given.clone());
        }
        match self.api.as_ref().filter(|api| api.host_str() != Some("api.github.com")) {
            None => Ok(RemoteUrl::github(repository)),
            Some(api) => RemoteUrl::parse(format!("{}/{repository}.git", api.origin().ascii_serialization())),
        }
    }
}

/// The repository's address under the name that it has now, unless one is given, and the token that is good now.
#[derive(Debug)]
pub(crate) struct ForgeRemote {
    forge: OctocrabForge,
    address: GitAddress,
    /// What was given out last.
    last: Mutex<Option<GitAccess>>,
}

impl ForgeRemote {
    pub(crate) const fn new(forge: OctocrabForge, address: GitAddress) -> Self {
        Self { forge, address, last: Mutex::new(None) }
    }

    fn give(&self, access: GitAccess) -> Result<Remote, InvalidUrl> {
        let remote =
            Remote { url: self.address.of(&access.repository)?, token: Some(Secret::new(access.token.expose())) };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(access);
        Ok(remote)
    }
}

#[async_trait]
impl RemoteAccess for ForgeRemote {
    async fn remote(&self) -> Result<Remote, Source> {
        Ok(self.give(self.forge.git_access().await?)?)
    }

    async fn instead(&self) -> Result<Option<Remote>, Source> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(last) = last else { return Ok(None) };
        let other = self.forge.git_access_instead_of(&last).await?;
        Ok(other.map(|access| self.give(access)).transpose()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_finds_a_repository_under_its_name_at_the_apis_host_unless_an_address_is_given() {
        let name = RepositoryName::parse("new/name").unwrap();
        let address = |api: Option<&str>, given: Option<&str>| {
            let given = given.map(|given| RemoteUrl::parse(given).unwrap());
            let api = api.map(|api| Url::parse(api).unwrap());
            GitAddress { given, api }.of(&name).unwrap().to_string()
        };
        assert_eq!(address(None, None), "https://github.com/new/name.git");
        assert_eq!(address(Some("https://api.github.com"), None), "https://github.com/new/name.git");
        assert_eq!(address(Some("https://ghe.example:8443/api/v3"), None), "https://ghe.example:8443/new/name.git");
        assert_eq!(address(None, Some("https://git.example/x.git")), "https://git.example/x.git");
    }
}
