//! The guard over protected paths.

use std::collections::BTreeSet;

use crate::{ProtectedPaths, Reason, Refusal, RepoPath, Stage};

/// The proof that a change touches no protected path, or that an operator allowed exactly it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathGuardPermit(());

/// Judges the paths of a change.
///
/// `allowed` says that an operator allowed this very content.
///
/// # Errors
/// A [`Refusal`] with the reason `protected-path` that lists every protected path of the change.
pub fn guard_paths<'a>(
    changed: impl IntoIterator<Item = &'a RepoPath>,
    protected: &ProtectedPaths,
    allowed: bool,
) -> Result<PathGuardPermit, Refusal> {
    let hits: BTreeSet<RepoPath> = changed.into_iter().filter(|path| protected.contains(path)).cloned().collect();
    if hits.is_empty() || allowed {
        return Ok(PathGuardPermit(()));
    }
    let named: Vec<&str> = hits.iter().take(5).map(RepoPath::as_str).collect();
    let more = hits.len().saturating_sub(named.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let detail =
        format!("the change touches protected paths: {}{more}. A person has to make such a change.", named.join(", "));
    Err(Refusal::new(Stage::PromotionGuard, Reason::ProtectedPath, detail).with_paths(hits.into_iter().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(texts: &[&str]) -> Vec<RepoPath> {
        texts.iter().map(|text| RepoPath::parse(*text).unwrap()).collect()
    }

    fn protected(patterns: &[&str]) -> ProtectedPaths {
        ProtectedPaths::new(patterns.iter().map(ToString::to_string).collect()).unwrap()
    }

    #[test]
    fn the_rules_file_and_ci_definitions_are_always_protected_in_any_case() {
        for path in ["selfext.toml", "SelfExt.toml", ".github/workflows/x.yml", ".github/CODEOWNERS", ".GitHub/x"] {
            let refusal = guard_paths(&paths(&["a", path]), &protected(&[]), false).unwrap_err();
            assert_eq!((refusal.reason, refusal.paths), (Reason::ProtectedPath, paths(&[path])));
        }
        assert!(guard_paths(&paths(&["src/selfext.toml", "github/x", "a"]), &protected(&[]), false).is_ok());
    }

    #[test]
    fn the_operators_patterns_count_and_a_star_stays_in_its_folder() {
        let rules = protected(&["infra/**", "*.lock", "docs/*.md"]);
        for (path, refused) in [
            ("infra/a/b", true),
            ("Cargo.lock", true),
            ("a/Cargo.lock", false),
            ("docs/a.md", true),
            ("docs/a/b.md", false),
        ] {
            assert_eq!(guard_paths(&paths(&[path]), &rules, false).is_err(), refused, "{path}");
        }
    }

    #[test]
    fn a_path_that_would_replace_a_protected_folder_counts() {
        let rules = protected(&["infra/**"]);
        for path in [".github", "infra"] {
            assert!(guard_paths(&paths(&[path]), &rules, false).is_err(), "{path}");
        }
    }

    #[test]
    fn an_allowed_change_passes() {
        assert!(guard_paths(&paths(&["selfext.toml"]), &protected(&[]), true).is_ok());
    }
}
