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
# too. Pin one to the app that must have set it with { context = "build", app_id = 15368 } (15368 is GitHub Actions), or a
# commit status to the account that must have set it with { context = "ci", creator = "my-ci[bot]" }.
required = []
# Contexts that may be red.
optional = []
# How many people who may write to the repository must have approved exactly this commit.
approvals = 0
# Teams of each of which one member must be among them: approvals_by_team = ["my-org/security"].
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
# Whether GitHub is asked to merge in the background, which takes a request more, and time; for merges that take it too long.
asynchronous = false
# Where the base takes changes through a merge queue: "refuse", or "enqueue". A queue lands a commit of its own that selfext did
# not verify: every context that is required is green on it then, and nothing else vouches for it. docs/github.md of selfext.
merge_queue = "refuse"
# With "enqueue": for how long a change may stand in the queue.
# queue_wait_seconds = 3600
# Keep the commit status selfext/permit green on a head exactly while selfext may merge it. Where branch protection requires
# that status, people and auto-merge cannot merge selfext's pull requests past a pause either.
permit_status = false
# How often a change is verified again because the base moved meanwhile.
max_base_moves = 3

# How a promoted change proves itself. Take the first line out of its comment, and every promotion opens a health window: `selfext
# watch` takes the change back if the agent does not show that it is well. The agent reports with `selfext heartbeat`, or is looked
# at by a probe. What is written here are the defaults; docs/health.md of selfext says more.
# [health]
# The promoted commit must be seen running within so many seconds after the promotion,
# start_seconds = 120
# and from then on healthy for so many seconds,
# healthy_seconds = 300
# in at least so many samples,
# samples = 10
# of which so many may be unhealthy,
# error_budget = 1
# with no longer time than this from one sample to the next. No data is not healthy.
# silence_seconds = 60
# All of it within so many seconds after the promotion.
# window_seconds = 900
# While a window is open the next promotion is refused (health-window-open), or waits in line for gate.wait_seconds.
# queue = false
# How selfext looks at the agent itself: an address, or a command. Either answers {"commit": "…", "healthy": true, "detail": "…"}.
# [health.probe]
# url = "http://127.0.0.1:8080/health"
# command = ["./health", "--json"]
# interval_seconds = 10
# timeout_seconds = 5
# So many rollbacks within so many seconds pause promotion.
# [health.breaker]
# rollbacks = 3
# within_seconds = 86400

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

#[cfg(test)]
mod tests {
    use selfext::Rules;

    use super::*;

    /// The commented lines that are keys or tables of the section.
    fn uncommented() -> String {
        let is_key = |line: &&str| {
            line.split_once(" = ").is_some_and(|(key, _)| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        };
        let section = HEAD.lines().skip_while(|line| *line != "# [health]").take_while(|line| line.starts_with("# "));
        let lines = section.map(|line| &line[2..]).filter(|line| line.starts_with('[') || is_key(line));
        // One probe has one target.
        let lines: Vec<&str> = lines.filter(|line| !line.starts_with("command")).collect();
        lines.join("\n")
    }

    #[test]
    fn what_the_template_says_of_health_is_what_holds_without_it() {
        const STAGE: &str = "version = 1\n[[verification.stage]]\nname = \"t\"\ncommand = [\"true\"]\n";
        let written = Rules::parse(&format!("{STAGE}{}", uncommented())).unwrap().health.unwrap();
        let url = "url = \"http://127.0.0.1:8080/health\"";
        let short = Rules::parse(&format!("{STAGE}[health]\n[health.probe]\n{url}\n")).unwrap().health.unwrap();
        assert_eq!(written, short);
    }
}
