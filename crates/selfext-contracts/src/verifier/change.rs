//! Short forms for what the cases are about.

use std::time::Duration;

use selfext_domain::{
    BranchName, ChangeSet, ChangeSetBuilder, ExecutionContext, FileChange, RepoPath, RunId, StageRules, ToolName,
};

pub(super) fn main_branch() -> BranchName {
    BranchName::parse("main").expect("a legal branch")
}

pub(super) fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).expect("a legal path")
}

pub(super) fn run_id(text: &str) -> RunId {
    RunId::parse(text).expect("a legal run id")
}

pub(super) fn change() -> ChangeSetBuilder {
    let tool = ToolName::parse("write").expect("a legal tool name");
    ChangeSet::builder("say why", ExecutionContext::new(tool))
}

/// A change of these files: with a content to write, or to delete.
pub(super) fn change_of(files: &[(&str, Option<&str>)]) -> ChangeSet {
    let add = |builder: ChangeSetBuilder, (name, content): &(&str, Option<&str>)| match content {
        Some(content) => builder.write(path(name), *content),
        None => builder.delete(path(name)),
    };
    files.iter().fold(change(), add).build().expect("a legal change set")
}

/// A file to write with a mode that is asked for.
pub(super) fn write_as(content: &str, executable: bool) -> FileChange {
    FileChange::Write { content: content.as_bytes().into(), executable: Some(executable) }
}

/// A stage that runs a script. Its limit is one that no healthy machine needs.
pub(super) fn script(text: &str) -> StageRules {
    command("script", &["sh", "-c", text])
}

pub(super) fn command(name: &str, words: &[&str]) -> StageRules {
    StageRules {
        timeout: Duration::from_mins(2),
        ..StageRules::new(name, words.iter().map(|word| (*word).to_owned()).collect())
    }
}
