//! What is protected whatever the rules file says.

use super::RULES_PATH;

/// Patterns of [`ProtectedPaths`](super::ProtectedPaths). Whoever writes one of these decides what is run elsewhere, with
/// rights that the agent does not have, or what a reviewer is shown.
///
/// What the repository's own build reads (`Makefile`, `build.rs`, `package.json`, `.cargo/`) is not here: it is the code that
/// is verified, and runs with no more rights than the rest of it.
pub(super) const ALWAYS: &[&str] = &[
    RULES_PATH,
    // GitHub, and what is compatible with it: workflows, actions, settings, dependabot.
    ".github/**",
    ".gitea/**",
    ".forgejo/**",
    // GitLab.
    ".gitlab-ci.yml",
    ".gitlab-ci.yaml",
    ".gitlab/**",
    // Other services, by the names that they look for.
    ".circleci/**",
    ".buildkite/**",
    ".semaphore/**",
    ".teamcity/**",
    ".tekton/**",
    ".woodpecker/**",
    ".woodpecker.{yml,yaml}",
    ".builds/**",
    ".build.yml",
    ".travis.yml",
    ".drone.{yml,yaml,jsonnet,star}",
    ".cirrus.{yml,yaml,star}",
    ".appveyor.{yml,yaml}",
    "appveyor.{yml,yaml}",
    "azure-pipelines*.{yml,yaml}",
    ".azure-pipelines/**",
    "azure-pipelines/**",
    "bitbucket-pipelines.yml",
    "buildspec*.{yml,yaml}",
    "cloudbuild*.{yml,yaml,json}",
    "codefresh.{yml,yaml}",
    "wercker.yml",
    "**/Jenkinsfile",
    "Jenkinsfile.*",
    "*.jenkinsfile",
    // A folder of that name by custom, this repository's own among them.
    ".ci/**",
    // Who must review. Each of the places where a forge looks.
    "CODEOWNERS",
    "docs/CODEOWNERS",
    // git: filters and drivers by attribute, in any folder; other repositories; LFS's server.
    "**/.gitattributes",
    ".gitmodules",
    ".lfsconfig",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_docs_list_what_is_always_protected_as_it_is() {
        let docs = include_str!("../../../../docs/protected-paths.md");
        let table = docs.split("| --- | --- |\n").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap();
        let first_column = table.lines().filter_map(|line| line.split(" | ").next());
        let listed: BTreeSet<&str> = first_column.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
        assert_eq!(listed, ALWAYS.iter().copied().collect());
    }
}
