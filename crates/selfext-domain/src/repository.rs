//! Names of repositories.

use crate::InvalidValue;
use crate::newtype::text_newtype;

text_newtype!(
    /// A repository on a forge as `owner/name`.
    RepositoryName,
    check_repository
);

fn check_repository(text: &str) -> Result<(), InvalidValue> {
    let refuse = |problem: &str| Err(InvalidValue::new("repository name", text, problem));
    let Some((owner, name)) = text.split_once('/') else {
        return refuse("is not of the form owner/name");
    };
    let legal = |part: &str, extra: &str| part.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c));
    if owner.is_empty() || owner.len() > 39 || !legal(owner, "-_") || owner.starts_with('-') {
        return refuse("has an owner that is not 1 to 39 letters, digits, `-` or `_`");
    }
    if name.is_empty() || name.len() > 100 || !legal(name, "-_.") || name == "." || name == ".." {
        return refuse("has a name that is not 1 to 100 letters, digits, `-`, `_` or `.`");
    }
    if name.to_ascii_lowercase().ends_with(".git") {
        return refuse("ends with `.git`");
    }
    Ok(())
}

impl RepositoryName {
    /// The part before the slash.
    #[must_use]
    pub fn owner(&self) -> &str {
        self.as_str().split_once('/').map_or("", |(owner, _)| owner)
    }

    /// The part behind the slash.
    #[must_use]
    pub fn name(&self) -> &str {
        self.as_str().split_once('/').map_or("", |(_, name)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_owner_slash_name_is_a_repository() {
        for good in ["a/b", "octo-org/agent.core", "me_corp/x_1"] {
            assert!(RepositoryName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "a", "a/", "/b", "a/b/c", "a/..", "a/.", "../b", "a/b.git", "-a/b", "a b/c", "a/b?x", "a%2f/b"]
        {
            assert!(RepositoryName::parse(bad).is_err(), "{bad}");
        }
    }
}
