//! What people read on the forge: titles, bodies and commit messages, from text that an agent wrote.

use std::fmt::Write as _;

use crate::canonical::CanonicalError;
use crate::{
    ChangeSet, CommitMeta, EntryChange, Keep, RedactedText, Run, StageReport, Tested, TextCap, code_block, inline,
    plain,
};

/// The longest title, in characters; GitHub takes 256.
const TITLE: usize = 120;

/// How many files a body shows; GitHub takes 65,536 characters in all.
const SHOWN_FILES: usize = 50;

/// How much of a stage's output a body shows.
const SHOWN_OUTPUT: TextCap = TextCap { max_bytes: 3_000, keep: Keep::Tail };

/// The pull request's title: the first line of the message, redacted and without mentions.
#[must_use]
pub fn pull_request_title(change: &ChangeSet) -> String {
    let message = plain(change.message());
    let line = message.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("Change").to_owned();
    if line.chars().count() <= TITLE { line } else { line.chars().take(TITLE - 1).chain(['…']).collect() }
}

/// The commit's message: the title, the rest of the message, and the trailer.
///
/// # Errors
/// Never in practice: the trailer's fields hold no floats.
pub fn commit_message(change: &ChangeSet, meta: &CommitMeta) -> Result<String, CanonicalError> {
    let message = plain(change.message());
    let rest: Vec<&str> = message.trim_start().lines().skip(1).collect();
    let mut text = pull_request_title(change);
    let rest = rest.join("\n");
    if !rest.trim().is_empty() {
        text.push_str("\n\n");
        text.push_str(rest.trim());
    }
    meta.attach(&text)
}

/// The evidence on the pull request: what was tested, on what, and what it said.
#[must_use]
pub fn pull_request_body(
    run: &Run,
    change: &ChangeSet,
    tested: &Tested,
    entries: &[(crate::RepoPath, EntryChange)],
) -> String {
    let mut body = String::new();
    let context = run.context();
    let _ = writeln!(body, "Proposed by {} and verified by selfext.\n", inline(context.tool_name.as_str()));
    let _ = writeln!(body, "| | |\n| --- | --- |");
    let mut row = |name: &str, value: &str| {
        let _ = writeln!(body, "| {name} | {value} |");
    };
    row("run", &inline(run.id().as_str()));
    row("verified on", &format!("`{}`", tested.base_commit));
    row("verified tree", &format!("`{}`", tested.tree));
    row("fingerprint", &format!("`{}`", change.fingerprint()));
    for (name, value) in [
        ("goal", context.goal_id.as_ref().map(crate::GoalId::as_str)),
        ("sub-goal", context.sub_goal_id.as_ref().map(crate::SubGoalId::as_str)),
        ("cycle", context.cycle_id.as_ref().map(crate::CycleId::as_str)),
    ] {
        if let Some(value) = value {
            row(name, &inline(value));
        }
    }
    let _ = writeln!(body, "\n### Files\n");
    for (path, change) in entries.iter().take(SHOWN_FILES) {
        let what = if matches!(change, EntryChange::Delete) { "deleted" } else { "written" };
        let allowed = if run.allowed_paths().contains(path) { "; protected, and allowed by an operator" } else { "" };
        let _ = writeln!(body, "- {} ({what}{allowed})", inline(path.as_str()));
    }
    if entries.len() > SHOWN_FILES {
        let _ = writeln!(body, "- and {} more", entries.len() - SHOWN_FILES);
    }
    let _ = writeln!(body, "\n### Verification\n");
    for stage in &tested.stages {
        let _ = writeln!(body, "**{}** {}\n", inline(&stage.name), stage.summary());
        if !stage.command.is_empty() {
            let _ = writeln!(body, "Command: {}\n", inline(&stage.command.join(" ")));
        }
        let output = RedactedText::from_text(stage.output.as_str(), SHOWN_OUTPUT);
        if !output.as_str().trim().is_empty() {
            let _ = writeln!(body, "{}\n", code_block(&output));
        }
    }
    let _ = write!(body, "{}", isolation(&tested.stages));
    let _ = writeln!(body, "This pull request is merged by selfext once its gate is green. Do not push to its branch.");
    body
}

/// Which walls stood around the stages, and which were missing. Where all stages had the same, they are named once.
fn isolation(stages: &[StageReport]) -> String {
    let mut text = String::new();
    let mut seen: Vec<(&[crate::WallReport], Vec<&str>)> = Vec::new();
    for stage in stages.iter().filter(|stage| !stage.walls.is_empty()) {
        match seen.iter_mut().find(|(walls, _)| *walls == stage.walls.as_slice()) {
            Some((_, names)) => names.push(&stage.name),
            None => seen.push((&stage.walls, vec![&stage.name])),
        }
    }
    if seen.is_empty() {
        return text;
    }
    let _ = writeln!(text, "### Isolation\n");
    for (walls, names) in &seen {
        if seen.len() > 1 {
            let _ = writeln!(text, "Around {}:\n", inline(&names.join(", ")));
        }
        for wall in *walls {
            let mark = if wall.missing().is_some() { "**missing**" } else { "held" };
            let _ = writeln!(text, "- {mark}: {}", inline(&wall.to_string()));
        }
        let _ = writeln!(text);
    }
    text
}

/// One line for the evidence status, at most 140 characters.
#[must_use]
pub fn status_summary(stages: &[StageReport]) -> String {
    let passed = stages.iter().filter(|stage| stage.result.passed()).count();
    let all = stages.len();
    match stages.iter().find(|stage| !stage.result.passed()) {
        None if stages.iter().any(|stage| stage.missing_walls().next().is_some()) => {
            format!("{passed} of {all} stages passed, with walls missing around them")
        }
        None => format!("{passed} of {all} stages passed"),
        Some(failed) => plain(&format!("{} {}", failed.name, failed.result)).chars().take(140).collect(),
    }
}
