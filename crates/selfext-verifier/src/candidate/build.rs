//! Making the candidate's tree in the cache.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use selfext_domain::ports::VerifierError;
use selfext_domain::{Candidate, ChangeSet, CommitSha, EntryChange, RepoPath};

use super::base_tree::{BaseTree, Entry, Kind};
use super::links::links;
use super::obstacle::does_not_apply;
use super::plan::{Plan, Write, plan};
use super::reversal::irreversible;
use crate::cache::{Base, Repository, parse_tree};
use crate::error::{blocking, unavailable, unavailable_by};
use crate::run_folder::RunFolder;

/// Makes the tree of a change on a base. Seven calls of git at most, however many files there are.
pub(crate) async fn build(
    base: Base,
    commit: &CommitSha,
    change: &ChangeSet,
    runs: &Path,
) -> Result<Candidate, VerifierError> {
    let Base { repository, tree: base_tree } = base;
    let tree = BaseTree::read(&repository, &base_tree).await?;
    let (tree, plan) = planned(tree, change.clone()).await?;

    let links = links(&repository, &tree).await?;

    let folder = RunFolder::create(runs, "prepare").await?;
    let objects = store(&repository, &plan.writes, &folder).await?;
    // A write of what the base has is no difference.
    let differs = |write: &Write, object: &String| {
        let kind = if write.executable { Kind::Executable } else { Kind::File };
        tree.get(write.path.as_str()).is_none_or(|entry| entry.kind != kind || entry.object != *object)
    };
    let writes: Vec<(Write, String)> =
        plan.writes.into_iter().zip(objects).filter(|(write, object)| differs(write, object)).collect();

    let mut index = Vec::new();
    for path in &plan.deletes {
        index.extend_from_slice(format!("0 {}\t{path}\0", repository.format().null()).as_bytes());
    }
    for (write, object) in &writes {
        let mode = if write.executable { "100755" } else { "100644" };
        index.extend_from_slice(format!("{mode} {object}\t{}\0", write.path).as_bytes());
    }
    let file = folder.path().join("index");
    let call = |what| repository.call(what).env("GIT_INDEX_FILE", &file);
    call("the base cannot be read into an index").args(["read-tree", base_tree.as_str()]).output().await?;
    call("the change cannot be put on its base")
        .args(["update-index", "-z", "--index-info"])
        .input(index)
        .output()
        .await?;
    let made = call("the candidate's tree cannot be written").arg("write-tree").output().await?;
    let made = parse_tree(&String::from_utf8_lossy(&made))?;
    folder.remove().await;

    let mut after: Vec<(RepoPath, Option<Entry>)> = plan.deletes.iter().map(|path| (path.clone(), None)).collect();
    let deletes = plan.deletes.into_iter().map(|path| (path, EntryChange::Delete));
    let written = writes.into_iter().map(|(write, object)| {
        let Write { path, content, executable } = write;
        let kind = if executable { Kind::Executable } else { Kind::File };
        after.push((path.clone(), Some(Entry { kind, object })));
        (path, EntryChange::Write { content, executable })
    });
    let entries: BTreeMap<_, _> = deletes.chain(written).collect();
    let irreversible = irreversible(&repository, tree, after).await?;
    let entries = entries.into_iter().collect();
    Ok(Candidate { base: commit.clone(), base_tree, tree: made, entries, links, irreversible })
}

async fn planned(tree: BaseTree, change: ChangeSet) -> Result<(BaseTree, Plan), VerifierError> {
    let work = move || {
        let plan = plan(&tree, change.files()).map_err(does_not_apply)?;
        Ok((tree, plan))
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| unavailable_by("the change cannot be planned", error))?
}

/// Writes the contents as git objects, exactly as they are: no filter and no attribute is looked at. Answers their names.
async fn store(repository: &Repository, writes: &[Write], folder: &RunFolder) -> Result<Vec<String>, VerifierError> {
    const WHAT: &str = "the change's files cannot be stored";
    if writes.is_empty() {
        return Ok(Vec::new());
    }
    let contents: Vec<Arc<[u8]>> = writes.iter().map(|write| Arc::clone(&write.content)).collect();
    let place = folder.path().join("contents");
    let names: Vec<String> = (0..contents.len()).map(|number| number.to_string()).collect();
    let list = names.join("\n");
    blocking(WHAT, {
        let place = place.clone();
        move || {
            fs::create_dir(&place)?;
            for (name, content) in names.iter().zip(contents) {
                fs::write(place.join(name), content)?;
            }
            Ok(())
        }
    })
    .await?;
    let call = repository.call(WHAT).folder(&place).args(["hash-object", "-w", "--no-filters", "--stdin-paths"]);
    let output = call.input(list).output().await?;
    let objects: Vec<String> = String::from_utf8_lossy(&output).lines().map(str::to_owned).collect();
    if objects.len() == writes.len() {
        Ok(objects)
    } else {
        Err(unavailable(&format!("{WHAT}: git named too few objects")))
    }
}
