//! Which requests a fault is for.

/// A method and a path, either with wildcards.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    method: String,
    path: Vec<String>,
}

impl Pattern {
    pub(super) fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.to_ascii_uppercase(),
            path: path.trim_start_matches('/').split('/').map(str::to_owned).collect(),
        }
    }

    pub(super) fn matches(&self, method: &str, path: &[String]) -> bool {
        (self.method == "*" || self.method == method) && segments_match(&self.path, path)
    }
}

fn segments_match(pattern: &[String], path: &[String]) -> bool {
    match pattern.split_first() {
        None => path.is_empty(),
        Some((first, rest)) if first == "**" => (0..=path.len()).any(|skipped| segments_match(rest, &path[skipped..])),
        Some((first, rest)) => path
            .split_first()
            .is_some_and(|(segment, below)| (first == "*" || first == segment) && segments_match(rest, below)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_one_segment_or_for_any_number() {
        let path: Vec<String> = ["repos", "o", "r", "pulls", "1", "merge"].map(str::to_owned).to_vec();
        let matches = |method, pattern| Pattern::new(method, pattern).matches("PUT", &path);
        assert!(matches("PUT", "/repos/o/r/pulls/1/merge"));
        assert!(matches("put", "/repos/*/*/pulls/*/merge"));
        assert!(matches("*", "/**/merge"));
        assert!(matches("*", "/**"));
        assert!(!matches("GET", "/**"));
        assert!(!matches("PUT", "/repos/*/*/pulls/*"));
        assert!(!matches("PUT", "/repos/*/*/pulls/2/merge"));
    }
}
