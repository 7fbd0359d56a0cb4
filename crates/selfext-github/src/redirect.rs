//! Where an answer points that says that a thing is elsewhere. Nothing is followed out of the API: the credential would go along.

use http::header::LOCATION;
use http::{HeaderMap, StatusCode, Uri};
use percent_encoding::percent_decode_str;
use selfext_domain::RepositoryName;
use url::Url;

use crate::route::{ApiBase, Place};

/// How many times one request follows.
pub(crate) const MOST: usize = 3;

/// A place inside the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The place itself.
    pub(crate) uri: Uri,
    /// The repository that it lies in or is.
    pub(crate) repository: Option<Which>,
    /// Whether GitHub means every method: 307 and 308. After the others, clients may take a write for a read.
    pub(crate) keeps_method: bool,
}

/// A repository, as a path of the API names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Id(u64),
    Name(RepositoryName),
}

impl Which {
    /// Where it is read.
    pub(crate) fn uri(&self, base: &ApiBase) -> Option<Uri> {
        match self {
            Self::Id(id) => format!("{}/repositories/{id}", base.as_str()).parse().ok(),
            Self::Name(name) => Place::new(base, name).repository().finish().ok(),
        }
    }
}

/// Where an answer points; nothing if it is an answer to what was asked.
///
/// # Errors
/// Says in words where it points if that is no place inside the API: the host alone, since the rest could hold anything.
pub(crate) fn target(
    base: &ApiBase,
    asked: &Uri,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<Option<Target>, String> {
    let keeps_method = match status.as_u16() {
        301..=303 => false,
        307 | 308 => true,
        _ => return Ok(None),
    };
    // Without a place it is a refusal like any other.
    let Some(location) = headers.get(LOCATION) else { return Ok(None) };
    let location = location.to_str().ok().and_then(|to| Url::parse(&asked.to_string()).ok()?.join(to).ok());
    let Some(location) = location else { return Err("a place that is no URL".to_owned()) };
    let Some(rest) = inside(base, &location) else {
        return Err(location.host_str().map_or_else(|| "no host".to_owned(), |host| format!("the host {host}")));
    };
    let repository = repository(rest);
    let uri = location.as_str().parse().map_err(|_| "a place that is no URL".to_owned())?;
    Ok(Some(Target { uri, repository, keeps_method }))
}

/// The path below the API's base; nothing if the place is on another host or port, in another scheme, or outside the base's path.
fn inside<'a>(base: &ApiBase, location: &'a Url) -> Option<&'a str> {
    let base = Url::parse(base.as_str()).ok()?;
    let bare = location.username().is_empty() && location.password().is_none();
    if base.origin() != location.origin() || !bare || location.fragment().is_some() {
        return None;
    }
    // Parsing has removed dot segments, encoded dots included. What a server would take for some once it has decoded slashes is
    // not followed.
    let path = location.path();
    let decoded = percent_decode_str(path).decode_utf8().ok()?;
    if decoded.contains('\\') || decoded.split('/').any(|part| matches!(part, "." | "..")) {
        return None;
    }
    path.strip_prefix(base.path().trim_end_matches('/')).filter(|rest| rest.starts_with('/'))
}

fn repository(rest: &str) -> Option<Which> {
    let mut parts = rest.split('/').skip(1);
    match parts.next()? {
        "repositories" => parts.next()?.parse().ok().map(Which::Id),
        "repos" => RepositoryName::parse(format!("{}/{}", parts.next()?, parts.next()?)).ok().map(Which::Name),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(base: &str, status: u16, location: &str) -> Result<Option<Target>, String> {
        let base = ApiBase::parse(&Url::parse(base).unwrap()).unwrap();
        let asked = format!("{}/repos/o/r/git/ref/heads/main", base.as_str()).parse().unwrap();
        let headers = [(LOCATION, location.parse().unwrap())].into_iter().collect();
        target(&base, &asked, StatusCode::from_u16(status).unwrap(), &headers)
    }

    #[test]
    fn places_inside_the_api_are_followed() {
        for (base, location, repository) in [
            ("https://api.github.com", "https://api.github.com/repositories/7", Some(Which::Id(7))),
            ("https://api.github.com", "https://api.github.com:443/repositories/7/pulls?head=a", Some(Which::Id(7))),
            ("https://api.github.com", "/repositories/7/git/ref/heads%2Fmain", Some(Which::Id(7))),
            ("https://ghe.example/api/v3", "https://ghe.example/api/v3/repositories/7", Some(Which::Id(7))),
            ("https://ghe.example/api/v3", "/api/v3/user", None),
            (
                "http://127.0.0.1:81/x",
                "/x/repos/new/name/pulls/1",
                Some(Which::Name(RepositoryName::parse("new/name").unwrap())),
            ),
        ] {
            for (status, keeps_method) in [(301, false), (302, false), (303, false), (307, true), (308, true)] {
                let target = found(base, status, location).unwrap().unwrap();
                assert_eq!((&target.repository, target.keeps_method), (&repository, keeps_method), "{location}");
                assert!(target.uri.to_string().starts_with(base), "{}", target.uri);
            }
        }
    }

    #[test]
    fn places_elsewhere_are_named_by_their_host_alone() {
        for (location, words) in [
            ("https://evil.example/repositories/7", "the host evil.example"),
            ("http://ghe.example/api/v3/repositories/7", "the host ghe.example"),
            ("https://ghe.example:8443/api/v3/repositories/7", "the host ghe.example"),
            ("https://ghe.example/repositories/7", "the host ghe.example"),
            ("https://ghe.example/api/v30/repositories/7", "the host ghe.example"),
            ("https://ghe.example/api/v3/../../login", "the host ghe.example"),
            ("https://ghe.example/api/v3/%2e%2e/%2e%2e/login", "the host ghe.example"),
            ("https://ghe.example/api/v3/git/ref/..%2f..%2f..%2flogin", "the host ghe.example"),
            ("https://me:hush@ghe.example/api/v3/repositories/7", "the host ghe.example"),
            ("//evil.example/api/v3/repositories/7", "the host evil.example"),
            ("https://ghe.example.evil.example/api/v3/", "the host ghe.example.evil.example"),
            ("mailto:a@b", "no host"),
            ("https://[", "a place that is no URL"),
        ] {
            assert_eq!(found("https://ghe.example/api/v3", 301, location), Err(words.to_owned()), "{location}");
        }
    }

    #[test]
    fn other_answers_point_nowhere() {
        for status in [200, 300, 304, 305, 404] {
            assert_eq!(found("https://api.github.com", status, "https://evil.example/"), Ok(None));
        }
        let base = ApiBase::github();
        assert_eq!(target(&base, &Uri::from_static("https://x/"), StatusCode::FOUND, &HeaderMap::new()), Ok(None));
    }

    #[test]
    fn a_repository_is_read_where_its_path_says() {
        let base = ApiBase::parse(&Url::parse("https://ghe.example/api/v3").unwrap()).unwrap();
        let name = RepositoryName::parse("o/r").unwrap();
        assert_eq!(Which::Id(7).uri(&base).unwrap(), "https://ghe.example/api/v3/repositories/7");
        assert_eq!(Which::Name(name).uri(&base).unwrap(), "https://ghe.example/api/v3/repos/o/r");
    }
}
