//! The guard over protected paths.

use std::collections::BTreeSet;

use crate::{BaseLinks, ProtectedPaths, Reason, Refusal, RepoPath, Stage};

/// The proof that a change touches no protected path but those that an operator allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathGuardPermit(());

/// How many paths the words of a refusal name; the refusal itself lists all of them.
const NAMED: usize = 5;

/// Judges the paths of a change: of every file that it writes or deletes, a rename being both.
///
/// A path counts also under the names that `links`, the symbolic links of the base, give it.
///
/// `allowed` are the protected paths that an operator was shown and allowed this very content to touch. A path that became
/// protected since, because the base has other rules, is not among them.
///
/// # Errors
/// A [`Refusal`] with the reason `protected-path` that lists every protected path of the change that nobody allowed.
pub fn guard_paths<'a>(
    changed: impl IntoIterator<Item = &'a RepoPath>,
    protected: &ProtectedPaths,
    links: &BaseLinks,
    allowed: &BTreeSet<RepoPath>,
) -> Result<PathGuardPermit, Refusal> {
    let named_so = |name: &String| RepoPath::parse(name.as_str()).is_ok_and(|name| protected.contains(&name));
    let hit = |path: &&RepoPath| protected.contains(path) || links.other_names(path).iter().any(named_so);
    let hits: BTreeSet<&RepoPath> = changed.into_iter().filter(hit).collect();
    let refused: Vec<RepoPath> = hits.iter().copied().filter(|path| !allowed.contains(*path)).cloned().collect();
    if refused.is_empty() {
        return Ok(PathGuardPermit(()));
    }
    let named: Vec<&str> = refused.iter().take(NAMED).map(RepoPath::as_str).collect();
    let more = refused.len() - named.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let which = if refused.len() == hits.len() { "" } else { " that were not allowed with the others" };
    let detail = format!(
        "the change touches protected paths{which}: {}{more}. A person has to make such a change, or to allow exactly this one.",
        named.join(", ")
    );
    Err(Refusal::new(Stage::PromotionGuard, Reason::ProtectedPath, detail).with_paths(refused))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn paths(texts: &[&str]) -> Vec<RepoPath> {
        texts.iter().map(|text| RepoPath::parse(*text).unwrap()).collect()
    }

    fn protected(patterns: &[&str]) -> ProtectedPaths {
        ProtectedPaths::new(patterns.iter().map(ToString::to_string).collect()).unwrap()
    }

    fn guard(texts: &[&str], patterns: &[&str]) -> Result<PathGuardPermit, Refusal> {
        guard_paths(&paths(texts), &protected(patterns), &BaseLinks::default(), &BTreeSet::new())
    }

    #[test]
    fn what_a_protected_link_leads_to_is_protected() {
        let link = RepoPath::parse(".gitlab-ci.yml").unwrap();
        let links = BaseLinks::new([(&link, "ci/gitlab.yml")]);
        for (path, passes) in [("ci/gitlab.yml", false), ("CI/GitLab.yml", false), ("ci/other.yml", true)] {
            let judged = guard_paths(&paths(&[path]), &protected(&[]), &links, &BTreeSet::new());
            assert_eq!(judged.is_ok(), passes, "{path}");
        }
    }

    #[test]
    fn the_rules_file_and_ci_definitions_are_always_protected_and_listed() {
        for path in [
            "selfext.toml",
            ".github/workflows/x.yml",
            ".github/CODEOWNERS",
            ".gitlab-ci.yml",
            ".gitlab/ci/build.yml",
            ".circleci/config.yml",
            ".buildkite/pipeline.yml",
            ".travis.yml",
            ".drone.yml",
            ".drone.star",
            ".cirrus.yml",
            ".woodpecker/test.yaml",
            "appveyor.yml",
            "azure-pipelines.yml",
            "azure-pipelines-nightly.yaml",
            "bitbucket-pipelines.yml",
            "buildspec.yml",
            "Jenkinsfile",
            "service/Jenkinsfile",
            "Jenkinsfile.release",
            ".ci/run",
            "CODEOWNERS",
            "docs/CODEOWNERS",
            ".gitmodules",
            ".gitattributes",
            "a/b/.gitattributes",
            ".lfsconfig",
        ] {
            let refusal = guard(&["a", path], &[]).unwrap_err();
            assert_eq!((refusal.reason, refusal.paths), (Reason::ProtectedPath, paths(&[path])));
            assert!(refusal.detail.contains(path), "{}", refusal.detail);
        }
        for path in
            ["src/selfext.toml", "github/x", "a", "docs/gitlab-ci.yml", "Makefile", ".gitignore", "src/codeowners.rs"]
        {
            assert!(guard(&[path], &[]).is_ok(), "{path}");
        }
    }

    #[test]
    fn names_that_a_file_system_takes_for_a_protected_one_are_protected() {
        let patterns = ["caf\u{e9}/**", "\u{3a3}/*"];
        for path in [
            "SelfExt.toml",
            ".GitHub/x",
            ".GITHUB/WORKFLOWS/X.YML",
            "\u{17f}elfext.toml",
            ".github/wor\u{212a}flows/x.yml",
            "jen\u{212a}insfile",
            "\u{ff0e}github/x",
            "selfext.toml:$DATA",
            "selfext.toml::$DATA",
            ".github::$INDEX_ALLOCATION/workflows/x.yml",
            "cafe\u{301}/x",
            "CAF\u{c9}/x",
            "\u{3c2}/x",
        ] {
            assert!(guard(&[path], &patterns).is_err(), "{path:?}");
        }
        for path in ["selfext.toml ", "selfext.toml.", ".github./x", ".github /x", ".g\u{200c}ithub/x"] {
            assert!(RepoPath::parse(path).is_err(), "{path:?} is no path of a change at all");
        }
    }

    #[test]
    fn the_operators_patterns_count_and_a_star_stays_in_its_folder() {
        let rules = ["infra/**", "*.lock", "docs/*.md"];
        for (path, refused) in [
            ("infra/a/b", true),
            ("Cargo.lock", true),
            ("a/Cargo.lock", false),
            ("docs/a.md", true),
            ("docs/a/b.md", false),
        ] {
            assert_eq!(guard(&[path], &rules).is_err(), refused, "{path}");
        }
    }

    #[test]
    fn a_path_that_would_replace_a_protected_folder_or_need_a_protected_file_to_be_one_counts() {
        for path in [".github", "infra", "INFRA", "selfext.toml/x", ".gitmodules/x", "Jenkinsfile/x"] {
            assert!(guard(&[path], &["infra/**"]).is_err(), "{path}");
        }
    }

    #[test]
    fn only_what_was_shown_is_allowed() {
        let shown: BTreeSet<RepoPath> = paths(&["selfext.toml", "infra/a"]).into_iter().collect();
        let rules = protected(&["infra/**"]);
        assert!(
            guard_paths(&paths(&["selfext.toml", "infra/a", "src/x"]), &rules, &BaseLinks::default(), &shown).is_ok()
        );
        let refusal =
            guard_paths(&paths(&["selfext.toml", "infra/a", "infra/b"]), &rules, &BaseLinks::default(), &shown)
                .unwrap_err();
        assert_eq!(refusal.paths, paths(&["infra/b"]));
        assert!(refusal.detail.contains("not allowed with the others: infra/b"), "{}", refusal.detail);
    }

    proptest! {
        #[test]
        fn a_protected_path_stays_protected_in_any_case_and_below_anything(
            at in 0..ProtectedPaths::ALWAYS.len(), upper in proptest::collection::vec(any::<bool>(), 24), tail in "[a-z]{1,4}"
        ) {
            // One name that the pattern stands for.
            let name = ProtectedPaths::ALWAYS[at].replace("**/", "").replace("**", &tail).replace('*', "");
            let name = match (name.find('{'), name.find(','), name.find('}')) {
                (Some(open), Some(first), Some(_)) => format!("{}{}", &name[..open], &name[open + 1..first]),
                _ => name,
            };
            let cased: String = name.chars().enumerate()
                .map(|(at, c)| if upper[at % upper.len()] { c.to_ascii_uppercase() } else { c }).collect();
            for path in [cased.clone(), format!("{cased}/{tail}")] {
                if let Ok(path) = RepoPath::parse(path) {
                    prop_assert!(protected(&[]).contains(&path), "{}", path);
                }
            }
        }

        #[test]
        fn the_guard_refuses_exactly_what_is_protected_and_not_allowed(
            changed in proptest::collection::btree_set("(infra|src)/[a-d]", 1..8), shown in proptest::collection::btree_set("(infra|src)/[a-d]", 0..8),
        ) {
            let parse = |texts: &BTreeSet<String>| -> BTreeSet<RepoPath> {
                texts.iter().map(|text| RepoPath::parse(text.clone()).unwrap()).collect()
            };
            let (changed, shown) = (parse(&changed), parse(&shown));
            let expected: Vec<RepoPath> =
                changed.iter().filter(|path| path.as_str().starts_with("infra/") && !shown.contains(*path)).cloned().collect();
            let found = guard_paths(&changed, &protected(&["infra/**"]), &BaseLinks::default(), &shown).map_or_else(|refusal| refusal.paths, |_| vec![]);
            prop_assert_eq!(found, expected);
        }
    }
}
