//! Symbolic links of a base, as other names of what they lead to.

use std::collections::BTreeSet;

use crate::{RepoPath, folded};

/// How many other names of one path are followed. Links that lead to one another have no end of them.
const MOST_NAMES: usize = 1_000;

/// The symbolic links of a base commit that stay inside the repository. What a change does to a file, it does to it under
/// every name that a link gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BaseLinks {
    /// Where each link is and what it leads to, both as file systems that fold names take them. The empty target is the
    /// repository's own folder.
    links: Vec<(String, String)>,
}

impl BaseLinks {
    /// Takes the links with their targets as they are stored. One that leads out of the repository, or to an absolute path,
    /// gives nothing in it another name.
    #[must_use]
    pub fn new<'a>(links: impl IntoIterator<Item = (&'a RepoPath, &'a str)>) -> Self {
        let inside = links.into_iter().filter_map(|(link, target)| {
            let target = resolved(link.as_str(), target)?;
            Some((folded(link.as_str()), folded(&target)))
        });
        Self { links: inside.collect() }
    }

    /// The other names of a path, through one link or several.
    #[must_use]
    pub fn other_names(&self, path: &RepoPath) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let mut next = vec![folded(path.as_str())];
        while let Some(name) = next.pop() {
            for (link, target) in &self.links {
                let Some(other) = renamed(&name, link, target) else { continue };
                if names.len() < MOST_NAMES && names.insert(other.clone()) {
                    next.push(other);
                }
            }
        }
        names
    }
}

/// The name that a path has through a link.
fn renamed(name: &str, link: &str, target: &str) -> Option<String> {
    if target.is_empty() {
        return Some(format!("{link}/{name}"));
    }
    match name.strip_prefix(target)? {
        "" => Some(link.to_owned()),
        rest if rest.starts_with('/') => Some(format!("{link}{rest}")),
        _ => None,
    }
}

/// What a link leads to, from the repository's own folder; `None` if that is not inside of it.
fn resolved(link: &str, target: &str) -> Option<String> {
    if target.is_empty() || target.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = link.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn links(links: &[(&str, &str)]) -> BaseLinks {
        let parsed: Vec<_> = links.iter().map(|(link, target)| (RepoPath::parse(*link).unwrap(), *target)).collect();
        BaseLinks::new(parsed.iter().map(|(link, target)| (link, *target)))
    }

    #[test]
    fn a_path_has_the_names_that_links_give_it() {
        type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a [&'a str]);
        let table: &[Case<'_>] = &[
            (&[(".gitlab-ci.yml", "ci/gitlab.yml")], "ci/gitlab.yml", &[".gitlab-ci.yml"]),
            (&[(".gitlab-ci.yml", "./ci//gitlab.yml")], "CI/GitLab.yml", &[".gitlab-ci.yml"]),
            (&[("a/b", "../c")], "c/d/e", &["a/b/d/e"]),
            (&[("a/b", "../c")], "cc/d", &[]),
            (&[("ci", "."), ("x", "/etc"), ("y", "../out")], "a", &["ci/a"]),
            (&[(".circleci", "tools/circle"), ("tools", "real")], "real/circle/x", &[".circleci/x", "tools/circle/x"]),
            (&[("a", "b"), ("b", "a")], "a/x", &["a/x", "b/x"]),
        ];
        for (given, path, expected) in table {
            let names = links(given).other_names(&RepoPath::parse(*path).unwrap());
            // A link to the repository's own folder gives ever longer names.
            let shown: Vec<&str> = names.iter().map(String::as_str).filter(|name| !name.starts_with("ci/ci")).collect();
            assert_eq!(shown, *expected, "{path} through {given:?}");
        }
    }

    proptest! {
        #[test]
        fn any_links_come_to_an_end(
            given in proptest::collection::vec(("[ab]{1,2}(/[ab]){0,2}", "(\\.\\./|[ab]/|\\./){0,4}[ab]?"), 0..6),
            path in "[ab]{1,2}(/[ab]){0,2}",
        ) {
            let given: Vec<(&str, &str)> = given.iter().map(|(link, target)| (link.as_str(), target.as_str())).collect();
            prop_assert!(links(&given).other_names(&RepoPath::parse(path).unwrap()).len() <= MOST_NAMES);
        }
    }
}
