//! The rules file that `init` writes.

use super::project::Project;

/// The whole file.
pub fn write(projects: &[Project]) -> String {
    let mut text = HEAD.replace("# DECIDING\n", &deciding(projects));
    // What is prepared on the base comes before all else, whichever project needs it.
    for on_base in [true, false] {
        for project in projects {
            let prefix = if projects.len() > 1 { format!("{}-", project.kind.to_lowercase()) } else { String::new() };
            for stage in project.stages.iter().filter(|stage| stage.is_on_base() == on_base) {
                text.push_str(&stage.write(&prefix));
            }
        }
    }
    text
}

/// Files that decide what the stages run, as a line to take out of its comment.
fn deciding(projects: &[Project]) -> String {
    let files: Vec<String> =
        projects.iter().flat_map(|project| project.deciding).map(|file| format!("{file:?}")).collect();
    if files.is_empty() { String::new() } else { format!("# protected = [{}]\n", files.join(", ")) }
}

const HEAD: &str = r#"# The rules by which selfext lets a change of this repository's own agent reach this branch.
# They are read from the base branch, never from the change; a change that touches this file is blocked.
version = 1

[gate]
# The commit statuses and check runs that must be green on the pull request. Whatever else is reported there must be green
# too. Pin one to the app that must have set it with { context = "build", app_id = 15368 } (15368 is GitHub Actions).
required = []
# Contexts that may be red.
optional = []
# How many people who may write to the repository must have approved exactly this commit.
approvals = 0
# Whether a check run that was skipped, or ended neutral, counts as green.
accept_skipped = false
accept_neutral = false
# How long one promotion waits for missing and pending contexts, and how often it looks.
wait_seconds = 1800
poll_seconds = 10

[paths]
# What no change may touch unless an operator allows exactly that change (`selfext allow`), beside what always is protected:
# this file, what defines CI (.github/**, .gitlab-ci.yml, Jenkinsfile, …), CODEOWNERS, .gitattributes and .gitmodules.
# `*` stays inside a folder, `**` does not. What decides how the stages below run may be worth a person's look, too:
# DECIDING
protected = []

[limits]
max_files = 1000
max_file_bytes = 5242880
max_total_bytes = 31457280

[merge]
# squash, merge or rebase
method = "squash"
# Keep the commit status selfext/permit green on a head exactly while selfext may merge it. Where branch protection requires
# that status, people and auto-merge cannot merge selfext's pull requests past a pause either.
permit_status = false
# How often a change is verified again because the base moved meanwhile.
max_base_moves = 3

# What is run on the change, on top of the base commit, in a worktree of its own, in this order. The program is started
# directly; for a shell write ["sh", "-c", "…"]. At most output_limit_bytes (65536) of each output's end are kept.
# A must_match is a regular expression that the output has to match, so that a stage which tests nothing does not pass.
# A stage with on_base runs on the base commit, before the change is there. Its home folder, and what it names under keep, are
# copied for the stages that follow, and kept for later runs as long as its lock_files are the same.
# The stages run behind walls: no network (unless network = true), no files but their own and the system's, no variables of
# selfext's, limits. "required" runs nothing where this machine lacks one of the walls; "best-effort" says so in the evidence.
[verification]
isolation = "best-effort"
"#;
