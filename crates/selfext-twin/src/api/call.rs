//! A request as the routes see it.

use axum::body::Bytes;
use axum::http::header::{ACCEPT, AUTHORIZATION};
use axum::http::{HeaderMap, Uri};
use percent_encoding::percent_decode_str;

use super::app::is_asked_by_the_app;
use super::body::Body;
use super::error::ApiError;
use super::paging::Page;
use super::route::Route;
use super::urls::Urls;
use crate::git::Oid;
use crate::identity::Identity;
use crate::world::World;

/// Method, path and query of a request, taken apart and decoded.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// The method in capitals.
    pub(crate) method: String,
    /// The segments of the path. They were split before they were decoded, so a segment may hold a slash.
    pub(crate) segments: Vec<String>,
    query: Vec<(String, String)>,
}

impl Target {
    /// Takes a request target apart. Bytes that are not UTF-8 after decoding are replaced, which no name matches.
    pub(crate) fn parse(method: &str, path_and_query: &str) -> Self {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let path = path.strip_prefix('/').unwrap_or(path);
        Self {
            method: method.to_owned(),
            segments: path.split('/').map(decoded).collect(),
            query: query
                .split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(name, value)| (decoded(name), decoded(&value.replace('+', " "))))
                .collect(),
        }
    }

    /// The same below the repository's name, if the path was below its number.
    pub(crate) fn by_name(self, identity: &Identity) -> Self {
        match identity.by_name(&self.segments) {
            Some(segments) => Self { segments, ..self },
            None => self,
        }
    }

    /// All query parameters in their order.
    pub(super) fn query(&self) -> &[(String, String)] {
        &self.query
    }
}

/// The values of a route's parameters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(Vec<(&'static str, String)>);

impl Params {
    pub(super) fn insert(&mut self, name: &'static str, value: String) {
        self.0.push((name, value));
    }

    #[cfg(test)]
    pub(super) fn listed(self) -> Vec<(&'static str, String)> {
        self.0
    }
}

/// A request on its way through a route.
pub(crate) struct Call<'a> {
    /// The twin.
    pub(crate) world: &'a World,
    /// Method, path and query.
    pub(crate) target: &'a Target,
    /// The path and the query as they came.
    pub(crate) uri: &'a Uri,
    /// The values of the route's parameters.
    pub(crate) params: Params,
    /// The headers.
    pub(crate) headers: &'a HeaderMap,
    /// The body as it came.
    pub(crate) body: Bytes,
}

impl Call<'_> {
    /// The value of a parameter of the route, decoded.
    pub(super) fn param(&self, name: &str) -> &str {
        let found = self.params.0.iter().find(|(known, _)| *known == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// A parameter that is a number; anything else names nothing.
    pub(super) fn number(&self, name: &str) -> Result<u64, ApiError> {
        self.param(name).parse().map_err(|_| ApiError::not_found())
    }

    /// A parameter that is a full object id.
    pub(super) fn oid(&self, name: &str) -> Option<Oid> {
        Oid::parse(self.param(name))
    }

    /// A query parameter; if it is given more than once, the last one counts.
    pub(super) fn query(&self, name: &str) -> Option<&str> {
        let pairs = self.target.query().iter().rev();
        pairs.filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).next()
    }

    /// The part of a list that the request asks for.
    pub(super) fn page(&self) -> Page {
        Page::of(self)
    }

    /// The JSON object in the body.
    pub(super) fn body(&self) -> Result<Body, ApiError> {
        Body::parse(&self.body)
    }

    /// Makes the addresses of things.
    pub(super) fn urls(&self) -> Urls<'_> {
        Urls::of(self.world)
    }

    /// Whether the client wants a file's bytes rather than JSON.
    pub(super) fn wants_raw(&self) -> bool {
        let accept = self.headers.get(ACCEPT).and_then(|value| value.to_str().ok());
        accept.is_some_and(|accept| accept.contains(".raw"))
    }

    /// Checks what is common to all routes: the token, the repository's name, and that there is a repository.
    pub(super) async fn admit(&self, world: &World, route: &Route) -> Result<(), ApiError> {
        self.check_token(world, route)?;
        let unprintable = |text: &String| text.chars().any(char::is_control);
        if self.target.segments.iter().any(unprintable) {
            return Err(ApiError::not_found());
        }
        if !route.template.starts_with("/repos/") {
            return Ok(());
        }
        let (owner, name, identity) = (self.param("owner"), self.param("repo"), world.identity());
        if !identity.is_called(owner, name) {
            if identity.was_called(owner, name) {
                let asked = self.uri.path_and_query().map_or("/", |asked| asked.as_str());
                let asked = asked.strip_prefix(&world.config.path).unwrap_or(asked);
                let location = format!("{}{}", self.urls().base(), identity.by_number(asked));
                return Err(ApiError::moved(route.method == "GET", location));
            }
            return Err(ApiError::not_found());
        }
        if route.template.contains("/git/") && world.git.is_empty().await? {
            return Err(ApiError::conflict("Git Repository is empty."));
        }
        Ok(())
    }

    fn check_token(&self, world: &World, route: &Route) -> Result<(), ApiError> {
        let (required, app) = (world.config.require_token.as_deref(), world.config.github_app.as_ref());
        if let Some(app) = app
            && is_asked_by_the_app(route.template)
        {
            let refused = self.token().map_or(Some("Bad credentials"), |token| app.refuses(token, world.desk.now()));
            return refused.map_or(Ok(()), |words| Err(ApiError::unauthorized(words)));
        }
        let known = match self.token() {
            Some(token) if required == Some(token) => true,
            Some(token) if app.is_some() && world.desk.knows(token) => {
                return if route.template == "/user" { Err(ApiError::not_for_apps()) } else { Ok(()) };
            }
            _ => required.is_none() && app.is_none(),
        };
        if known { Ok(()) } else { Err(ApiError::bad_credentials()) }
    }

    /// Refuses whoever may not write check runs: only an App's installation may, with that permission.
    pub(super) fn must_write_checks(&self) -> Result<(), ApiError> {
        let desk = &self.world.desk;
        match self.token() {
            Some(token) if desk.may_write(token, "checks") => Ok(()),
            Some(token) if desk.knows(token) => Err(ApiError::not_for_apps()),
            _ => Err(ApiError::for_apps_alone()),
        }
    }

    /// Whether the sender is shown the members of an organization: an App needs a permission for it.
    pub(super) fn may_read_members(&self) -> bool {
        let desk = &self.world.desk;
        self.token().is_none_or(|token| !desk.knows(token) || desk.may_read(token, "members"))
    }

    fn token(&self) -> Option<&str> {
        let header = self.headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = header.split_once(' ')?;
        let known = scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("token");
        known.then_some(token.trim())
    }
}
