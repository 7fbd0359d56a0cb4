//! Path templates such as `/repos/{owner}/{repo}/git/ref/{ref}`.

use std::collections::HashMap;

use url::form_urlencoded;

/// Names whose value may hold slashes: git allows them in refs, and paths are made of them.
const WITH_SLASHES: [&str; 4] = ["ref", "path", "branch", "basehead"];

#[derive(Debug)]
pub(super) struct PathTemplate {
    segments: Vec<Segment>,
}

#[derive(Debug)]
enum Segment {
    Literal(String),
    Value { name: String, with_slashes: bool },
}

impl PathTemplate {
    pub(super) fn parse(template: &str) -> Self {
        let segments = template.trim_start_matches('/').split('/').map(|segment| {
            let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
            match name {
                Some(name) => Segment::Value { name: name.to_owned(), with_slashes: WITH_SLASHES.contains(&name) },
                None => Segment::Literal(segment.to_owned()),
            }
        });
        Self { segments: segments.collect() }
    }

    /// The values of a path that this template matches, unescaped.
    pub(super) fn matches(&self, path: &str) -> Option<HashMap<String, String>> {
        let path: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        let mut values = HashMap::new();
        matches(&self.segments, &path, &mut values).then_some(values)
    }

    /// How many characters of the template stand for themselves.
    pub(super) fn literal_length(&self) -> usize {
        self.segments
            .iter()
            .map(|segment| match segment {
                Segment::Literal(text) => text.len() + 1,
                Segment::Value { .. } => 0,
            })
            .sum()
    }
}

fn matches(segments: &[Segment], path: &[&str], values: &mut HashMap<String, String>) -> bool {
    let Some((segment, segments)) = segments.split_first() else {
        return path.is_empty();
    };
    let longest = match segment {
        Segment::Literal(text) => {
            return path.first() == Some(&text.as_str()) && matches(segments, &path[1..], values);
        }
        Segment::Value { with_slashes, .. } => {
            if *with_slashes {
                path.len()
            } else {
                path.len().min(1)
            }
        }
    };
    let Segment::Value { name, .. } = segment else {
        return false;
    };
    (1..=longest).any(|length| {
        let (taken, rest) = path.split_at(length);
        let fits = taken.iter().all(|part| !part.is_empty()) && matches(segments, rest, values);
        if fits {
            values.insert(name.clone(), unescape(&taken.join("/")));
        }
        fits
    })
}

fn unescape(escaped: &str) -> String {
    // In a path a plus is a plus; the form encoding would make it a space.
    let escaped = format!("={}", escaped.replace('+', "%2B").replace('&', "%26"));
    form_urlencoded::parse(escaped.as_bytes()).map(|(_, value)| value.into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::PathTemplate;

    #[test]
    fn a_ref_may_hold_slashes_escaped_or_not() {
        let template = PathTemplate::parse("/repos/{owner}/{repo}/git/ref/{ref}");
        for path in ["/repos/o/r/git/ref/heads/a/b%23+c", "/repos/o/r/git/ref/heads%2Fa%2Fb%23+c"] {
            let values = template.matches(path).expect("it matches");
            assert_eq!(values["ref"], "heads/a/b#+c");
            assert_eq!(values["repo"], "r");
        }
    }

    #[test]
    fn a_value_without_slashes_is_one_segment_and_not_empty() {
        let template = PathTemplate::parse("/repos/{owner}/{repo}/pulls/{pull_number}");
        assert!(template.matches("/repos/o/r/pulls/1").is_some());
        assert!(template.matches("/repos/o/r/pulls/1/merge").is_none());
        assert!(template.matches("/repos/o/r/pulls/").is_none());
        assert!(template.matches("/repos//r/pulls/1").is_none());
        assert!(template.matches("repos/o/r/pulls/1").is_none());
    }

    #[test]
    fn a_value_with_slashes_leaves_the_literals_behind_it() {
        let template = PathTemplate::parse("/repos/{owner}/{repo}/commits/{ref}/status");
        let values = template.matches("/repos/o/r/commits/heads/status/status");
        assert_eq!(values.expect("it matches")["ref"], "heads/status");
        assert!(template.matches("/repos/o/r/commits/status").is_none());
    }
}
