//! Which request goes where.

use std::future::Future;
use std::pin::Pin;

use super::ALL;
use super::call::{Call, Params, Target};
use super::error::ApiError;
use super::reply::Reply;

/// What a route's work comes to.
pub(super) type ApiResult = Result<Reply, ApiError>;

/// The work of a route while it is being done.
pub(super) type Work<'a> = Pin<Box<dyn Future<Output = ApiResult> + Send + 'a>>;

/// One operation of the API.
pub(crate) struct Route {
    /// The method.
    pub(crate) method: &'static str,
    /// The path as GitHub's API description has it, with parameters in braces.
    pub(crate) template: &'static str,
    /// Where GitHub's documentation describes the operation, below its page on the REST API.
    pub(super) docs: &'static str,
    /// Does it.
    pub(super) run: for<'a> fn(&'a Call<'a>) -> Work<'a>,
}

/// Parameters that may stand for several segments of a path, because branch names and paths hold slashes.
const MULTI: [&str; 5] = ["ref", "branch", "path", "basehead", "commit_sha"];

/// The route of a request and the values of its parameters, or `None` if the twin has no such route.
pub(crate) fn find(target: &Target) -> Option<(&'static Route, Params)> {
    ALL.iter()
        .flat_map(|routes| routes.iter())
        .filter(|route| route.method == target.method)
        .find_map(|route| Some((route, matched(route.template, &target.segments)?)))
}

fn matched(template: &'static str, path: &[String]) -> Option<Params> {
    let pattern: Vec<&'static str> = template.trim_start_matches('/').split('/').collect();
    let mut params = Params::default();
    matched_rest(&pattern, path, &mut params).then_some(params)
}

fn matched_rest(pattern: &[&'static str], path: &[String], params: &mut Params) -> bool {
    let Some((first, rest)) = pattern.split_first() else {
        return path.is_empty();
    };
    let parameter = first.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
    match parameter {
        None => {
            path.split_first().is_some_and(|(segment, below)| segment == first && matched_rest(rest, below, params))
        }
        // At most one parameter of a template takes several segments, so its share is what the others leave.
        Some(name) => {
            let taken = if MULTI.contains(&name) { path.len().saturating_sub(rest.len()) } else { 1 };
            if taken == 0 || path.len() < taken {
                return false;
            }
            // Only the path of a file may be empty: that is the root.
            if path[..taken] == [""] && name != "path" {
                return false;
            }
            params.insert(name, path[..taken].join("/"));
            matched_rest(rest, &path[taken..], params)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, path: &str) -> Option<(&'static str, Vec<(&'static str, String)>)> {
        let target = Target::parse(method, path);
        find(&target).map(|(route, params)| (route.template, params.listed()))
    }

    fn parameter(path: &str, name: &str) -> Option<String> {
        let (_, params) = route("GET", path)?;
        params.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    #[test]
    fn encoded_and_plain_slashes_of_a_branch_name_mean_the_same() {
        for path in ["/repos/o/r/git/ref/heads/a/b%23c", "/repos/o/r/git/ref/heads%2Fa%2Fb%23c"] {
            assert_eq!(parameter(path, "ref").as_deref(), Some("heads/a/b#c"), "{path}");
        }
        assert_eq!(parameter("/repos/o/r/commits/a/b/status", "ref").as_deref(), Some("a/b"));
        assert_eq!(parameter("/repos/o/r/commits/a%2Fstatus", "ref").as_deref(), Some("a/status"));
        assert_eq!(parameter("/repos/o/r/branches/a/b/protection", "branch").as_deref(), Some("a/b"));
        assert_eq!(parameter("/repos/o/r/compare/a/b...c/d", "basehead").as_deref(), Some("a/b...c/d"));
    }

    #[test]
    fn an_encoded_slash_never_makes_another_route() {
        assert_eq!(route("PUT", "/repos/o/r/pulls/1%2Fmerge"), None);
        assert_eq!(route("GET", "/repos/o/r/git%2Fref/heads/main"), None);
        assert_eq!(route("GET", "/repos/o/r/../r/pulls"), None);
    }

    #[test]
    fn another_method_on_a_known_path_is_an_unknown_route() {
        assert!(route("GET", "/repos/o/r/pulls").is_some());
        assert_eq!(route("DELETE", "/repos/o/r/pulls"), None);
        assert_eq!(route("GET", "/repos/o/r/pulls/"), None);
    }
}
