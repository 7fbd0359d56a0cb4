//! Change sets from what was typed.

mod scratch;

use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use selfext::{
    ActorSource, ChangeSet, CycleId, ExecutionContext, FileChange, GoalId, RepoPath, SubGoalId, ToolCallId, ToolName,
};

use crate::args;
use crate::exit::usage;
use crate::local::Repository;
use crate::show;
use scratch::Scratch;

type Changes = Vec<(RepoPath, FileChange)>;

/// The change set that a command line describes.
pub fn read(change: &args::Change, context: &args::Context, local: Option<&Repository>) -> Result<ChangeSet> {
    if change.stdin {
        return from_stdin();
    }
    let message = change.message.clone().unwrap_or_default();
    let mut builder = ChangeSet::builder(message, execution_context(context).map_err(|error| wrong(&error))?);
    for (path, file) in explicit(change)?.into_iter().chain(found_by_git(change, local)?) {
        builder = builder.file(path, file);
    }
    builder.build().map_err(|error| wrong(&error))
}

fn from_stdin() -> Result<ChangeSet> {
    let mut stdin = std::io::stdin();
    if stdin.is_terminal() {
        show::note("reading a change set in JSON; Ctrl-D ends it");
    }
    let mut json = Vec::new();
    stdin.read_to_end(&mut json).context("standard input could not be read")?;
    ChangeSet::from_json(&json).map_err(|error| wrong(&error))
}

fn wrong(error: &dyn std::error::Error) -> anyhow::Error {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    usage(format!("{error}{cause}"))
}

fn execution_context(args: &args::Context) -> Result<ExecutionContext, selfext::InvalidValue> {
    Ok(ExecutionContext {
        tool_name: ToolName::parse(&args.tool)?,
        tool_call_id: args.tool_call.clone().map(ToolCallId::parse).transpose()?,
        goal_id: args.goal.clone().map(GoalId::parse).transpose()?,
        cycle_id: args.cycle.clone().map(CycleId::parse).transpose()?,
        sub_goal_id: args.sub_goal.clone().map(SubGoalId::parse).transpose()?,
        actor_source: args.actor.clone().map(ActorSource::parse).transpose()?,
    })
}

/// What `--file` and `--delete` name. Every path is checked before any file is read.
fn explicit(change: &args::Change) -> Result<Changes> {
    let mut named = Vec::new();
    for file in &change.files {
        let (path, from) =
            file.split_once('=').ok_or_else(|| usage(format!("--file {file:?} is not of the form PATH=FROM")))?;
        named.push((RepoPath::parse(path).map_err(|error| wrong(&error))?, PathBuf::from(from)));
    }
    let mut files = Vec::new();
    for (path, from) in named {
        files.push((path, from_disk(&from)?));
    }
    files.extend(change.deletes.iter().map(|path| (path.clone(), FileChange::Delete)));
    Ok(files)
}

/// What `--patch` or `--worktree` means, if either was given.
fn found_by_git(change: &args::Change, local: Option<&Repository>) -> Result<Changes> {
    let folder = change.folder.as_deref().or(local.map(Repository::path)).unwrap_or_else(|| Path::new("."));
    if change.patch.is_none() && !change.worktree {
        return match &change.folder {
            Some(_) => Err(usage("--in says where --patch and --worktree look; name one of them")),
            None => Ok(Changes::new()),
        };
    }
    if !folder.is_dir() {
        return Err(usage(format!("{} is no folder", folder.display())));
    }
    let patch = change.patch.as_deref().map(|patch| Ok::<_, anyhow::Error>((patch, bytes_of(patch)?))).transpose()?;
    let scratch = Scratch::of(folder)?;
    let nothing = if let Some((patch, bytes)) = &patch {
        scratch.apply(bytes, patch)?;
        format!("the patch {} changes nothing", patch.display())
    } else {
        scratch.add_worktree()?;
        format!("{} has no uncommitted changes", folder.display())
    };
    let changes = scratch.changes(local.map(Repository::base_files).as_ref())?;
    if changes.is_empty() { Err(usage(nothing)) } else { Ok(changes) }
}

/// A file as it is on this machine. Its executable bit counts where it is set.
fn from_disk(path: &Path) -> Result<FileChange> {
    let executable = is_executable(path).then_some(true);
    Ok(FileChange::Write { content: Arc::from(bytes_of(path)?), executable })
}

fn bytes_of(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| usage(format!("{} could not be read: {error}", path.display())))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|data| data.permissions().mode() & 0o111 != 0)
}
