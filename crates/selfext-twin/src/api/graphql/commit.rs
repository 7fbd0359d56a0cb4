//! `createCommitOnBranch`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::failure::{Failure, RunError};
use super::reference::ref_json;
use super::step::{Input, invalid};
use crate::api::call::Call;
use crate::api::refs::check_protection;
use crate::api::repository_json::node_id;
use crate::git::{NewCommit, Oid, RefChange, RefName, Signature, TreeChange, TreeEditError, TreeEntry, path_segments};

/// About how many bytes of files GitHub takes in one request.
const LARGEST: usize = 40 << 20;

/// The mode of a file that was not there before. There is no way to ask for another one.
const PLAIN_FILE: u32 = 0o100_644;

/// A commit that is wished for.
pub(super) struct CommitOnBranch {
    repository: String,
    branch: String,
    expected: Oid,
    message: String,
    additions: Vec<(String, Vec<u8>)>,
    deletions: Vec<String>,
}

impl CommitOnBranch {
    pub(super) fn read(input: &Input) -> Result<Self, Failure> {
        let (branch, message, changes) =
            (input.object("branch")?, input.object("message")?, input.object("fileChanges")?);
        let expected = input.required("expectedHeadOid")?;
        let expected = Oid::parse(&expected).ok_or_else(|| invalid("expectedHeadOid", "no object id"))?;
        let headline = message.required("headline")?;
        let body = message.string("body")?.filter(|body| !body.is_empty());
        let addition = |file: &Input| {
            let contents = STANDARD.decode(file.required("contents")?);
            let contents = contents.map_err(|_| invalid("contents", "no Base64"))?;
            Ok((file.required("path")?, contents))
        };
        Ok(Self {
            repository: branch.required("repositoryNameWithOwner")?,
            branch: branch.required("branchName")?,
            expected,
            message: body.map_or_else(|| headline.clone(), |body| format!("{headline}\n\n{body}")),
            additions: changes.objects("additions")?.iter().map(addition).collect::<Result<_, Failure>>()?,
            deletions: changes
                .objects("deletions")?
                .iter()
                .map(|file| file.required("path"))
                .collect::<Result<_, _>>()?,
        })
    }

    pub(super) async fn run(&self, call: &Call<'_>) -> Result<Value, RunError> {
        let world = call.world;
        let refuse = |kind: &'static str, message: String| Err(Failure::new(kind, message).into());
        if !self.repository.eq_ignore_ascii_case(&world.identity().full_name()) {
            let words = format!("Could not resolve to a Repository with the name '{}'.", self.repository);
            return refuse("NOT_FOUND", words);
        }
        if self.additions.iter().map(|(_, contents)| contents.len()).sum::<usize>() > LARGEST {
            return refuse("UNPROCESSABLE", "The file changes are too large.".to_owned());
        }
        let missing = || Failure::new("NOT_FOUND", format!("Branch {:?} not found", self.branch));
        let name = RefName::branch(&self.branch).ok_or_else(missing)?;

        let mut store = world.store.lock().await;
        let before = world.git.find_ref(&name).await?.ok_or_else(missing)?;
        if before.oid != self.expected {
            return Err(self.stale().into());
        }
        let tree = self.write_tree(call).await?;
        let user = Signature::user(&world.config.login);
        let commit = NewCommit {
            tree,
            parents: vec![self.expected],
            author: user.clone(),
            committer: user,
            message: self.message.clone(),
            signature: None,
        };
        let oid = world.git.write_commit(&commit).await?;
        check_protection(&store.state, &name, Some((oid, true)))?;
        match world.change_ref(&mut store, &name, Some(before), Some(oid)).await? {
            RefChange::Done => {}
            RefChange::Moved => return Err(self.stale().into()),
            RefChange::Refused => return refuse("UNPROCESSABLE", "Reference update failed".to_owned()),
        }
        let parent = json!({"id": node_id("Commit", self.expected), "oid": self.expected});
        Ok(json!({
            "ref": ref_json(name.as_str(), oid),
            "commit": {
                "id": node_id("Commit", oid),
                "oid": oid,
                "url": call.urls().html(format_args!("commit/{oid}")),
                "message": commit.message,
                "tree": {"id": node_id("Tree", tree), "oid": tree},
                "parents": {"totalCount": 1, "nodes": [parent]},
            },
        }))
    }

    fn stale(&self) -> Failure {
        let words = format!("Expected branch to point to \"{}\" but it did not. Pull and try again.", self.expected);
        Failure::new("STALE_DATA", words)
    }

    /// The tree of the parent with the changes. A file that is there keeps its mode.
    async fn write_tree(&self, call: &Call<'_>) -> Result<Oid, RunError> {
        let git = &call.world.git;
        let malformed = |path: &str| Failure::new("UNPROCESSABLE", format!("A path was malformed: {path}"));
        let base = git.tree_of(self.expected).await?;
        let base = base.ok_or_else(|| self.stale())?;
        let mut changes = Vec::with_capacity(self.additions.len() + self.deletions.len());
        for path in &self.deletions {
            let path = path_segments(path).ok_or_else(|| malformed(path))?;
            changes.push((path, TreeChange::Delete));
        }
        for (path, contents) in &self.additions {
            let path = path_segments(path).ok_or_else(|| malformed(path))?;
            let there = git.entry_at(base, &path).await?;
            let mode = there.filter(|entry| !entry.is_tree() && !entry.is_submodule()).map(|entry| entry.mode);
            let oid = git.write_blob(contents).await?;
            changes.push((path, TreeChange::Put(TreeEntry { mode: mode.unwrap_or(PLAIN_FILE), oid })));
        }
        match git.edit_tree(Some(base), &changes).await {
            Ok(tree) => Ok(tree),
            Err(TreeEditError::NothingToDelete) => {
                let words = format!(
                    "A path was requested for deletion which does not exist as of commit oid `{}`",
                    self.expected
                );
                Err(Failure::new("UNPROCESSABLE", words).into())
            }
            Err(TreeEditError::Git(error)) => Err(error.into()),
        }
    }
}
