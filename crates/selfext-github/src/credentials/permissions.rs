//! Which of an App's rights its tokens get.

use std::collections::BTreeMap;

/// What selfext needs in a repository, and how much of it at most: each token has these rights of the App's and no others.
const WANTED: &[(&str, Level)] = &[
    ("contents", Level::Write),
    ("metadata", Level::Read),
    ("pull_requests", Level::Write),
    ("statuses", Level::Write),
    ("checks", Level::Write),
    // For changes to workflows that an operator allowed, for classic branch protection, for reviews by teams, and for merge
    // queues. An App that was not given them works all the same.
    ("workflows", Level::Write),
    ("administration", Level::Read),
    ("members", Level::Read),
    ("merge_queues", Level::Write),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Read,
    Write,
}

/// What to ask for of what an installation was given: asking for more is refused as a whole (422), so what is missing is left
/// out, and the requests that need it get GitHub's own words.
pub(super) fn to_ask_for(given: &BTreeMap<String, String>) -> BTreeMap<&'static str, &'static str> {
    let asked = WANTED.iter().filter_map(|&(name, most)| {
        let level = match (given.get(name)?.as_str(), most) {
            ("read", _) | (_, Level::Read) => "read",
            _ => "write",
        };
        Some((name, level))
    });
    asked.collect()
}

/// Whether an installation that was given this may make check runs.
pub(super) fn writes_checks(given: &BTreeMap<String, String>) -> bool {
    to_ask_for(given).get("checks") == Some(&"write")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_asked_for_than_is_needed_and_given() {
        let given = [("contents", "write"), ("administration", "write"), ("checks", "read"), ("issues", "write")];
        let given = given.map(|(name, level)| (name.to_owned(), level.to_owned())).into();
        let asked = [("contents", "write"), ("administration", "read"), ("checks", "read")];
        assert_eq!(to_ask_for(&given), asked.into());
        assert_eq!(to_ask_for(&BTreeMap::new()), BTreeMap::new());
        assert!(!writes_checks(&given) && writes_checks(&[("checks".to_owned(), "write".to_owned())].into()));
    }
}
