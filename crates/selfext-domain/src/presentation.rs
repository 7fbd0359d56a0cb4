//! What people read on the forge: titles, bodies and commit messages, from text that an agent wrote.

mod annotations;
mod evidence;

use std::fmt::Write as _;

pub use self::evidence::{evidence_of, evidence_of_success};

use crate::canonical::CanonicalError;
use crate::{
    Candidate, ChangeSet, CommitMeta, EntryChange, Keep, RedactedText, RepoPath, Run, StageReport, Tested, TextCap,
    code_block, inline, plain,
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

/// The evidence on the pull request: what was tested, on what, what it said, and whether it could be taken back.
#[must_use]
pub fn pull_request_body(run: &Run, change: &ChangeSet, tested: &Tested, candidate: &Candidate) -> String {
    let mut body = String::new();
    let (context, entries) = (run.context(), &candidate.entries);
    if let Some(taken_back) = run.rollback_of() {
        let _ = writeln!(body, "This takes back what the run {} landed.\n", inline(taken_back.as_str()));
    }
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
    list(&mut body, entries, |(path, change): &(RepoPath, EntryChange)| {
        let what = if matches!(change, EntryChange::Delete) { "deleted" } else { "written" };
        let allowed = if run.allowed_paths().contains(path) { "; protected, and allowed by an operator" } else { "" };
        format!("{} ({what}{allowed})", inline(path.as_str()))
    });
    if run.rollback_of().is_none() {
        let _ = write!(body, "{}", rollback(candidate));
    }
    let _ = writeln!(body, "\n### Verification\n");
    for stage in &tested.stages {
        body.push_str(&stage_section(stage));
    }
    let _ = write!(body, "{}", isolation(&tested.stages));
    let _ = writeln!(body, "This pull request is merged by selfext once its gate is green. Do not push to its branch.");
    body
}

/// What one stage did, and the end of what it said.
fn stage_section(stage: &StageReport) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "**{}** {}\n", inline(&stage.name), stage.summary());
    if !stage.command.is_empty() {
        let _ = writeln!(text, "Command: {}\n", inline(&stage.command.join(" ")));
    }
    let output = RedactedText::from_text(stage.output.as_str(), SHOWN_OUTPUT);
    if !output.as_str().trim().is_empty() {
        let _ = writeln!(text, "{}\n", code_block(&output));
    }
    text
}

/// Whether a rollback could restore what the candidate changes.
fn rollback(Candidate { entries, irreversible, .. }: &Candidate) -> String {
    let mut text = String::from("\n### Rollback\n\n");
    let all = entries.len();
    if irreversible.is_empty() {
        let what = if all == 1 { "the one file".to_owned() } else { format!("all {all} files") };
        let _ = writeln!(text, "It was checked on this base that a rollback can restore {what}.");
        return text;
    }
    let _ = writeln!(text, "**A rollback could not restore {} of {all} files:**\n", irreversible.len());
    list(&mut text, irreversible, |path| inline(path.as_str()));
    text
}

/// A line for each of the first things, and one that counts the others.
fn list<T>(text: &mut String, things: &[T], line: impl Fn(&T) -> String) {
    for thing in things.iter().take(SHOWN_FILES) {
        let _ = writeln!(text, "- {}", line(thing));
    }
    if things.len() > SHOWN_FILES {
        let _ = writeln!(text, "- and {} more", things.len() - SHOWN_FILES);
    }
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;
    use crate::{
        ActorSource, BaseLinks, BranchName, CommitSha, CorrelationId, Digest32, Event, EventId, ExecutionContext,
        Proposed, RepositoryName, RunId, Subject, ToolName, TreeSha,
    };

    fn body(rollback_of: Option<&str>, names: &[&str], irreversible: &[&str]) -> String {
        let path = |name: &&str| RepoPath::parse(*name).unwrap();
        let (branch, run) = (BranchName::parse("selfext/t/x").unwrap(), RunId::parse("r1").unwrap());
        let context = ExecutionContext::new(ToolName::parse("t").unwrap());
        let change = names.iter().fold(ChangeSet::builder("m", context.clone()), |it, name| it.write(path(name), "x"));
        let change = change.build().unwrap();
        let proposed = Proposed {
            message: "m".into(),
            files: vec![],
            branch: branch.clone(),
            rollback_of: rollback_of.map(|run| RunId::parse(run).unwrap()),
            made_on: None,
            rolled_back_before: None,
        };
        let event = Event {
            id: EventId::from_uuid(Uuid::nil()),
            correlation_id: CorrelationId::from(&run),
            stream: run.into(),
            actor_source: ActorSource::agent(),
            context: Some(context),
            subject: Some(Subject {
                repository: RepositoryName::parse("o/r").unwrap(),
                base: BranchName::parse("main").unwrap(),
                fingerprint: change.fingerprint(),
            }),
            pull_request: None,
            body: proposed.into(),
        };
        let run = Run::begin(&event, Digest32::of(b""), DateTime::UNIX_EPOCH).unwrap();
        let (base, tree) = (CommitSha::parse("a".repeat(40)).unwrap(), TreeSha::parse("b".repeat(40)).unwrap());
        let tested = Tested {
            base_commit: base.clone(),
            tree: tree.clone(),
            branch,
            title: "T".into(),
            rules_sha256: Digest32::of(b""),
            stages: vec![],
            attempt: 1,
            holder: "h".into(),
        };
        let written = EntryChange::Write { content: Arc::from(&b"x"[..]), executable: false };
        let candidate = Candidate {
            base,
            base_tree: tree.clone(),
            tree,
            entries: names.iter().map(|name| (path(name), written.clone())).collect(),
            links: BaseLinks::default(),
            irreversible: irreversible.iter().map(path).collect(),
        };
        pull_request_body(&run, &change, &tested, &candidate)
    }

    #[test]
    fn a_pull_request_says_that_it_could_be_taken_back() {
        let said = |names: &[&str]| body(None, names, &[]);
        assert!(said(&["a", "b", "c"]).contains("\n\n### Rollback\n\nIt was checked on this base that a rollback can restore all 3 files.\n\n### Verification"));
        assert!(said(&["a"]).contains("can restore the one file.\n"));
    }

    #[test]
    fn a_pull_request_names_what_a_rollback_could_not_restore() {
        let said = body(None, &["a", "link", "sub @x"], &["link", "sub @x"]);
        let (_, section) = said.split_once("### Rollback\n\n").unwrap();
        let (section, _) = section.split_once("\n\n### Verification").unwrap();
        let expected =
            format!("**A rollback could not restore 2 of 3 files:**\n\n- {}\n- {}", inline("link"), inline("sub @x"));
        assert_eq!(section, expected);
        let many: Vec<String> = (0..60).map(|number| format!("f{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(body(None, &many, &many).contains("could not restore 60 of 60 files"));
        assert_eq!(body(None, &many, &many).matches("\n- and 10 more\n").count(), 2);
    }

    #[test]
    fn a_pull_request_that_takes_a_run_back_says_so_first() {
        let said = body(Some("r0"), &["a"], &[]);
        assert!(said.starts_with(&format!("This takes back what the run {} landed.\n\nProposed by ", inline("r0"))));
        assert!(!said.contains("### Rollback"), "{said}");
        assert!(body(None, &["a"], &[]).starts_with("Proposed by "));
    }
}
