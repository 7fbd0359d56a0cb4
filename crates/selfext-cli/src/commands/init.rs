//! `init`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use selfext::{RULES_PATH, Rules};
use serde_json::json;

use crate::exit::{Exit, usage};
use crate::git::Git;
use crate::show;

/// A file at the top, the kind of project it tells, and the stages that try a change of it: names and commands.
type Kind = (&'static str, &'static str, &'static [(&'static str, &'static [&'static str])]);

/// What is written where nothing tells the kind.
const UNKNOWN: Kind = ("", "unknown", &[("test", &["make", "test"])]);

/// What tells a kind of project by a file at its top, and what tries a change of it.
const KINDS: &[Kind] = &[
    ("Cargo.toml", "Rust", &[("compile", &["cargo", "check", "--all-targets"]), ("test", &["cargo", "test"])]),
    ("package.json", "Node", &[("install", &["npm", "ci"]), ("test", &["npm", "test"])]),
    (
        "pyproject.toml",
        "Python",
        &[("compile", &["python3", "-m", "compileall", "-q", "."]), ("test", &["python3", "-m", "pytest"])],
    ),
    ("go.mod", "Go", &[("compile", &["go", "build", "./..."]), ("test", &["go", "test", "./..."])]),
    ("Makefile", "make", &[("test", &["make", "test"])]),
];

pub fn run(folder: &Path, json: bool) -> Result<Exit> {
    if !folder.is_dir() {
        return Err(usage(format!("{} is no folder", folder.display())));
    }
    if let Some(top) = top_above(folder) {
        let (folder, top) = (folder.display(), top.display());
        return Err(usage(format!(
            "{folder} is inside of the repository {top}, whose rules belong to its top: selfext init {top}"
        )));
    }
    let path = folder.join(RULES_PATH);
    let (kind, text) = template(folder);
    Rules::parse(&text).context("the rules file that would be written is wrong; this is a fault of selfext")?;
    let mut file = match std::fs::File::create_new(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(usage(format!("{} is there already and was left as it is", path.display())));
        }
        Err(error) => return Err(error).with_context(|| format!("{} could not be written", path.display())),
    };
    file.write_all(text.as_bytes()).with_context(|| format!("{} could not be written", path.display()))?;
    if json {
        let path = path.display().to_string();
        show::print_json(
            &json!({"outcome": "written", "written": path, "project": kind, "exit_code": Exit::Done as u8}),
        );
    } else {
        let advice = if kind == UNKNOWN.1 { "say how a change of it is tested, " } else { "" };
        show::print(&format!("wrote {} for a project of the kind: {kind}", path.display()));
        show::print(&format!(
            "next: read it, {advice}set gate.required to what your CI reports, and bring it to your main branch by hand"
        ));
    }
    Ok(Exit::Done)
}

/// The top of the repository that a folder is in, if it is another folder.
fn top_above(folder: &Path) -> Option<PathBuf> {
    let top = PathBuf::from(Git::in_folder(folder).line(["rev-parse", "--show-toplevel"]).ok()?);
    let same = top.canonicalize().ok()? == folder.canonicalize().ok()?;
    (!same).then_some(top)
}

/// The rules file for what the folder holds.
fn template(folder: &Path) -> (&'static str, String) {
    let known = KINDS.iter().find(|(file, ..)| folder.join(file).is_file());
    let (_, kind, stages) = known.copied().unwrap_or(UNKNOWN);
    let mut text = HEAD.to_owned();
    for (name, command) in stages {
        let words: Vec<String> = command.iter().map(|word| format!("{word:?}")).collect();
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\n[[verification.stage]]\nname = \"{name}\"\ncommand = [{}]\ntimeout_seconds = 600\n",
            words.join(", ")
        );
    }
    (kind, text)
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
# Whether a check run that was skipped, or ended neutral, counts as green.
accept_skipped = false
accept_neutral = false
# How long one promotion waits for missing and pending contexts, and how often it looks.
wait_seconds = 1800
poll_seconds = 10

[paths]
# What no change may touch, beside this file and .github/**. `*` stays inside a folder, `**` does not.
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
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_a_legal_rules_file_of_its_kind() {
        for (file, kind, stages) in KINDS {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join(file), "").unwrap();
            let (found, text) = template(folder.path());
            let rules = Rules::parse(&text).unwrap();
            assert_eq!((found, rules.stages.len()), (*kind, stages.len()));
        }
        let empty = tempfile::tempdir().unwrap();
        assert!(Rules::parse(&template(empty.path()).1).is_ok());
    }
}
