//! Names of refs.

use std::fmt;

/// A full ref name (`refs/…` with at least two slashes) that git would accept.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RefName(String);

impl RefName {
    /// Reads a full ref name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let components = name.strip_prefix("refs/")?;
        (components.contains('/') && is_well_formed(name)).then(|| Self(name.to_owned()))
    }

    /// The ref of a branch.
    pub(crate) fn branch(name: &str) -> Option<Self> {
        Self::parse(&format!("refs/heads/{name}"))
    }

    /// The full name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the branch, if the ref is one.
    pub(crate) fn branch_name(&self) -> Option<&str> {
        self.0.strip_prefix("refs/heads/")
    }

    /// Whether git could also read the name as the output of `git describe`, which ends in `-g` and an object id.
    pub(super) fn looks_described(&self) -> bool {
        self.0
            .rsplit_once("-g")
            .is_some_and(|(_, digits)| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
    }
}

impl fmt::Display for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The rules of `git check-ref-format`.
fn is_well_formed(name: &str) -> bool {
    let forbidden = |c: char| c.is_ascii_control() || matches!(c, ' ' | '~' | '^' | ':' | '?' | '*' | '[' | '\\');
    let component = |part: &str| {
        let lock = part.strip_suffix(".lock").is_some();
        !part.is_empty() && !part.starts_with('.') && !lock
    };
    !name.contains("..")
        && !name.contains("@{")
        && !name.ends_with('.')
        && !name.chars().any(forbidden)
        && name.split('/').all(component)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_git_accepts_become_refs() {
        for good in
            ["refs/heads/main", "refs/heads/a#b/c d".replace(' ', "-").as_str(), "refs/tags/v1.0", "refs/heads/-x"]
        {
            assert!(RefName::parse(good).is_some(), "{good}");
        }
        let bad = [
            "main",
            "refs/heads",
            "heads/main",
            "refs/heads/",
            "refs/heads/a b",
            "refs/heads/a..b",
            "refs/heads/.a",
            "refs/heads/a.lock",
            "refs/heads/a.",
            "refs/heads/a~1",
            "refs/heads/a^{}",
            "refs/heads/a:b",
            "refs/heads/a@{1}",
            "refs/heads//a",
            "refs/heads/a\n",
            "refs/heads/../../config",
            "refs/heads/a\\b",
        ];
        for name in bad {
            assert!(RefName::parse(name).is_none(), "{name}");
        }
    }

    #[test]
    fn names_in_the_form_of_git_describe_are_recognised() {
        let described = |name| RefName::branch(name).expect("valid").looks_described();
        assert!(described("tool/write-g1234abc"));
        assert!(!described("tool/write-gamma"));
        assert!(!described("tool/write-g"));
    }
}
