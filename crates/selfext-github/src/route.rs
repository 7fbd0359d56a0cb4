//! URLs: built from checked parts, and checked once more as a whole before anything is sent.

use std::fmt::Write as _;

use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use selfext_domain::{BranchName, CommitSha, PullRequestNumber, RepositoryName};
use url::Url;

use crate::transport::SendError;

/// Everything but what RFC 3986 calls unreserved.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Why a URL cannot be the base of an API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBase {
    /// It is neither `https` nor `http`.
    #[error("the base URL must begin with https://")]
    Scheme,
    /// It is `http` and not this machine: the token would cross the network readable.
    #[error("the base URL must begin with https:// unless its host is this machine's loopback")]
    Insecure,
    /// It holds a user, a password, a query or a fragment.
    #[error("the base URL must be a host and a path, without user, query or fragment")]
    Extra,
}

/// The base of the API, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiBase(String);

impl ApiBase {
    /// github.com's.
    pub(crate) fn github() -> Self {
        Self("https://api.github.com".to_owned())
    }

    pub(crate) fn parse(url: &Url) -> Result<Self, InvalidBase> {
        let loopback = match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => return Err(InvalidBase::Scheme),
        };
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            "http" => return Err(InvalidBase::Insecure),
            _ => return Err(InvalidBase::Scheme),
        }
        let bare = url.username().is_empty() && url.password().is_none();
        if !bare || url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidBase::Extra);
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a server on this machine that is reached without TLS.
    pub(crate) fn is_local(&self) -> bool {
        self.0.starts_with("http://")
    }

    /// The scheme, the host and the port.
    pub(crate) fn host(&self) -> &str {
        self.0.match_indices('/').nth(2).map_or(&self.0, |(at, _)| &self.0[..at])
    }

    /// Where GraphQL is spoken: beside the API's base, but on a GitHub Enterprise Server at `/api/graphql`, where REST is at
    /// `/api/v3`.
    fn graphql(&self) -> String {
        format!("{}/graphql", self.0.strip_suffix("/v3").filter(|above| above.ends_with("/api")).unwrap_or(&self.0))
    }

    /// What the base is called where repositories are remembered. What serves this machine alone does so on changing ports.
    pub(crate) fn realm(&self) -> &str {
        if self.is_local() { "loopback" } else { &self.0 }
    }
}

/// The place of one repository in the API, from which all routes begin.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    base: String,
    root: String,
    graphql: String,
    owner: String,
}

impl Place {
    pub(crate) fn new(base: &ApiBase, repository: &RepositoryName) -> Self {
        let (owner, name) = (encoded(repository.owner()), encoded(repository.name()));
        let root = format!("{}/repos/{owner}/{name}", base.as_str());
        Self { base: base.as_str().to_owned(), root, graphql: base.graphql(), owner: repository.owner().to_owned() }
    }

    /// The route to the GraphQL endpoint, which is one for all repositories.
    pub(crate) fn graphql(&self) -> Route<'_> {
        Route { place: self, root: &self.graphql, url: self.graphql.clone(), queried: false, head: None }
    }

    /// The route to the repository itself.
    pub(crate) fn repository(&self) -> Route<'_> {
        Route { place: self, root: &self.root, url: self.root.clone(), queried: false, head: None }
    }

    /// A route that begins with a fixed part, such as `git/trees`.
    pub(crate) fn at(&self, fixed: &'static str) -> Route<'_> {
        let mut route = self.repository();
        route.url.push('/');
        route.url.push_str(fixed);
        route
    }

    /// A route of the API that is not the repository's, such as `app`.
    pub(crate) fn beside(&self, fixed: &'static str) -> Route<'_> {
        let url = format!("{}/{fixed}", self.base);
        Route { place: self, root: &self.base, url, queried: false, head: None }
    }
}

/// A URL in the making. Each part that is not fixed is encoded.
pub(crate) struct Route<'a> {
    place: &'a Place,
    root: &'a str,
    url: String,
    queried: bool,
    /// A branch that pull requests come from; its owner is known when the place is.
    head: Option<String>,
}

impl Route<'_> {
    /// A branch, its slashes kept.
    pub(crate) fn branch(mut self, branch: &BranchName) -> Self {
        for part in branch.as_str().split('/') {
            self.push(part);
        }
        self
    }

    pub(crate) fn commit(mut self, commit: &CommitSha) -> Self {
        self.push(commit.as_str());
        self
    }

    /// What a branch has since a commit, in one part but for the branch's slashes.
    pub(crate) fn range(mut self, since: &CommitSha, branch: &BranchName) -> Self {
        let mut parts = branch.as_str().split('/');
        self.push(&format!("{since}...{}", parts.next().unwrap_or_default()));
        for part in parts {
            self.push(part);
        }
        self
    }

    pub(crate) fn pull_request(mut self, number: PullRequestNumber) -> Self {
        self.push(&number.to_string());
        self
    }

    /// One part that GitHub named, such as a login.
    pub(crate) fn named(mut self, part: &str) -> Self {
        self.push(part);
        self
    }

    /// A fixed last part, such as `merge`.
    pub(crate) fn then(mut self, fixed: &'static str) -> Self {
        self.push(fixed);
        self
    }

    pub(crate) fn query(mut self, name: &'static str, value: &str) -> Self {
        let before = if self.queried { '&' } else { '?' };
        self.queried = true;
        // Writing to a String cannot fail.
        let _ = write!(self.url, "{before}{name}={}", encoded(value));
        self
    }

    /// Pull requests that come from this branch of the repository, as the last of the query.
    pub(crate) fn head(self, branch: &BranchName) -> Self {
        Self { head: Some(branch.to_string()), ..self }
    }

    /// One part.
    pub(crate) fn part(mut self, part: &str) -> Self {
        self.push(part);
        self
    }

    fn push(&mut self, part: &str) {
        self.url.push('/');
        self.url.push_str(&encoded(part));
    }

    /// The URL, if every parser on the way reads it as it was meant: parsers remove dot segments, encoded ones too, so
    /// that a part which slipped through could aim an authorised request elsewhere.
    pub(crate) fn finish(&self) -> Result<Uri, SendError> {
        self.finish_under(self.root, self.place)
    }

    /// The same at another place of the repository: it may have been renamed since the route was begun. What is beside the
    /// repository stays where it is.
    pub(crate) fn finish_at(&self, place: &Place) -> Result<Uri, SendError> {
        if self.root != self.place.root {
            return self.finish();
        }
        self.finish_under(&place.root, place)
    }

    fn finish_under(&self, root: &str, place: &Place) -> Result<Uri, SendError> {
        let unfit = || SendError::NotSent("its URL would not stay what it is".to_owned());
        let inside = self.url.strip_prefix(self.root);
        let inside = inside.filter(|rest| rest.is_empty() || rest.starts_with(['/', '?'])).ok_or_else(unfit)?;
        let dots = |part: &str| matches!(part.replace("%2e", ".").replace("%2E", ".").as_str(), "." | ".." | "");
        let path = inside.split('?').next().unwrap_or_default();
        if path.split('/').skip(1).any(dots) {
            return Err(unfit());
        }
        let mut url = format!("{root}{inside}");
        if let Some(head) = &self.head {
            let before = if self.queried { '&' } else { '?' };
            // Writing to a String cannot fail.
            let _ = write!(url, "{before}head={}", encoded(&format!("{}:{head}", place.owner)));
        }
        match Url::parse(&url) {
            Ok(parsed) if parsed.as_str() == url => url.parse().map_err(|_| unfit()),
            _ => Err(unfit()),
        }
    }
}

fn encoded(part: &str) -> String {
    utf8_percent_encode(part, ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(base: &str) -> Place {
        let base = ApiBase::parse(&Url::parse(base).unwrap()).unwrap();
        Place::new(&base, &RepositoryName::parse("octo-org/agent.core").unwrap())
    }

    fn branch(name: &str) -> BranchName {
        BranchName::parse(name).unwrap()
    }

    #[test]
    fn a_branch_keeps_its_slashes_and_loses_no_character() {
        for (name, expected) in [
            ("release/2.x", "release/2.x"),
            ("a#b", "a%23b"),
            ("a%2fb", "a%252fb"),
            ("ünï&x=y", "%C3%BCn%C3%AF%26x%3Dy"),
        ] {
            let uri = place("https://api.github.com").at("git/ref/heads").branch(&branch(name)).finish().unwrap();
            let whole = format!("https://api.github.com/repos/octo-org/agent.core/git/ref/heads/{expected}");
            assert_eq!(uri.to_string(), whole);
        }
    }

    #[test]
    fn a_base_keeps_its_path() {
        for base in ["https://ghe.example/api/v3", "https://ghe.example/api/v3/"] {
            let uri = place(base).at("pulls").query("head", "o:a/b#c").query("state", "all").finish().unwrap();
            assert_eq!(
                uri.to_string(),
                "https://ghe.example/api/v3/repos/octo-org/agent.core/pulls?head=o%3Aa%2Fb%23c&state=all"
            );
        }
    }

    #[test]
    fn graphql_is_beside_the_api() {
        for (base, expected) in [
            ("https://api.github.com", "https://api.github.com/graphql"),
            ("https://ghe.example/api/v3/", "https://ghe.example/api/graphql"),
            ("https://ghe.example/behind/api/v3", "https://ghe.example/behind/api/graphql"),
            ("https://v3.example/v3", "https://v3.example/v3/graphql"),
            ("http://127.0.0.1:80", "http://127.0.0.1/graphql"),
        ] {
            assert_eq!(place(base).graphql().finish().unwrap().to_string(), expected);
            let base = ApiBase::parse(&Url::parse(base).unwrap()).unwrap();
            assert_eq!(base.host().matches('/').count(), 2, "{}", base.host());
            assert!(expected.starts_with(base.host()), "{}", base.host());
        }
    }

    #[test]
    fn a_route_of_a_renamed_repository_leads_to_its_new_place() {
        let (old, base) = (place("https://api.github.com"), ApiBase::github());
        let new = Place::new(&base, &RepositoryName::parse("new-org/agent").unwrap());
        let route = old.at("pulls").query("state", "all").head(&branch("a/b"));
        assert!(
            route
                .finish()
                .unwrap()
                .to_string()
                .ends_with("/repos/octo-org/agent.core/pulls?state=all&head=octo-org%3Aa%2Fb")
        );
        assert_eq!(
            route.finish_at(&new).unwrap(),
            "https://api.github.com/repos/new-org/agent/pulls?state=all&head=new-org%3Aa%2Fb"
        );
        assert_eq!(old.repository().finish_at(&new).unwrap(), "https://api.github.com/repos/new-org/agent");
        assert_eq!(old.beside("app").finish().unwrap(), "https://api.github.com/app");
        assert!(old.beside("app").part("..").finish().is_err());
    }

    #[test]
    fn a_url_that_a_parser_would_change_is_not_sent() {
        let place = place("http://127.0.0.1:80");
        for part in ["..", ".", "", "%2e%2E"] {
            let mut route = place.at("git/ref/heads");
            route.url.push('/');
            route.url.push_str(part);
            route.url.push_str("/x");
            assert!(matches!(route.finish(), Err(SendError::NotSent(_))), "{part}");
        }
        let mut elsewhere = place.repository();
        elsewhere.url = "http://127.0.0.1/repos/octo-org/agent.core.evil".to_owned();
        assert!(elsewhere.finish().is_err());
    }

    #[test]
    fn a_base_that_would_show_the_token_or_is_no_base_is_refused() {
        for (base, expected) in [
            ("http://ghe.example", InvalidBase::Insecure),
            ("http://10.0.0.1", InvalidBase::Insecure),
            ("ftp://ghe.example", InvalidBase::Scheme),
            ("file:///x", InvalidBase::Scheme),
            ("https://me@ghe.example", InvalidBase::Extra),
            ("https://ghe.example/?q=1", InvalidBase::Extra),
            ("https://ghe.example/#f", InvalidBase::Extra),
        ] {
            assert_eq!(ApiBase::parse(&Url::parse(base).unwrap()), Err(expected), "{base}");
        }
        for good in ["http://localhost:8080", "http://[::1]:80/x", "http://127.0.0.2", "https://ghe.example"] {
            assert!(ApiBase::parse(&Url::parse(good).unwrap()).is_ok(), "{good}");
        }
    }
}
