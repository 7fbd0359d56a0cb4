//! Merging a pull request.

use crate::clock;
use crate::control::MergeMethod;
use crate::git::{Commit, MergeOutcome, NewCommit, Oid, RefChange, RefName, RefTarget, Relation, Signature};
use crate::state::{Merged, Merging, Pull, State, Store};
use crate::world::{World, WorldError};

use super::{Scope, gate};

/// What a client asks for.
#[derive(Clone, Debug)]
pub(crate) struct MergeRequest {
    pub(crate) number: u64,
    /// The head that the client means, in its own spelling.
    pub(crate) head: Option<String>,
    pub(crate) method: MergeMethod,
    pub(crate) title: Option<String>,
    pub(crate) message: Option<String>,
    /// The login of whoever merges.
    pub(crate) by: String,
}

/// Why a merge did not happen.
#[derive(Debug)]
pub(crate) enum MergeRefusal {
    /// There is no such pull request.
    NotFound,
    /// It is closed, merged already, or in conflict with its base.
    NotMergeable,
    /// It is a draft.
    Draft,
    /// Its commits cannot be rebased one by one.
    NotRebaseable,
    /// The repository does not allow the method.
    MethodDisabled(MergeMethod),
    /// The head is not the one that the client means.
    HeadModified,
    /// Somebody moved the base at the same moment.
    BaseModified,
    /// Branch protection forbids it, in these words.
    Protected(String),
    /// The machine failed.
    Failed(WorldError),
}

impl MergeRefusal {
    /// What GitHub says of it.
    pub(crate) fn words(&self) -> String {
        let words = match self {
            Self::NotFound => "Not Found",
            Self::NotMergeable => "Pull Request is not mergeable",
            Self::Draft => "Pull Request is still a draft",
            Self::NotRebaseable => "This branch can't be rebased",
            Self::MethodDisabled(MergeMethod::Merge) => "Merge commits are not allowed on this repository.",
            Self::MethodDisabled(MergeMethod::Squash) => "Squash merges are not allowed on this repository.",
            Self::MethodDisabled(MergeMethod::Rebase) => "Rebase merges are not allowed on this repository.",
            Self::HeadModified => "Head branch was modified. Review and try the merge again.",
            Self::BaseModified => "Base branch was modified. Review and try the merge again.",
            Self::Protected(words) => words,
            Self::Failed(_) => "Server Error",
        };
        words.to_owned()
    }
}

impl<E: Into<WorldError>> From<E> for MergeRefusal {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl World {
    /// Merges a pull request and gives the commit that the base came to.
    ///
    /// The intent is recorded before the base moves and the result after it, so that a crash in between is settled
    /// at the next look at the pull request.
    pub(crate) async fn merge_pull(&self, store: &mut Store, request: &MergeRequest) -> Result<Oid, MergeRefusal> {
        let number = request.number;
        self.settle(store, Scope::One(number)).await?;
        let pull = store.state.pulls.get(&number).ok_or(MergeRefusal::NotFound)?.clone();
        if !pull.open {
            return Err(MergeRefusal::NotMergeable);
        }
        if request.head.as_ref().is_some_and(|head| Oid::parse(head) != Some(pull.head_sha)) {
            return Err(MergeRefusal::HeadModified);
        }
        if pull.draft {
            return Err(MergeRefusal::Draft);
        }
        let name = RefName::branch(&pull.base).ok_or(MergeRefusal::NotMergeable)?;
        let base = self.git.find_ref(&name).await?.ok_or(MergeRefusal::NotMergeable)?;
        let relation = self.git.relation(base.oid, pull.head_sha).await?;
        check_rules(&store.state, &pull, request.method, &relation)?;

        let commit = self.commit_to_land(&pull, request, base.oid, &Signature::twin()).await?;
        let at = clock::now();
        let by = request.by.clone();
        let merging = Merging { commit, at, by };
        record(store, number, |pull| pull.merging = Some(merging.clone()))?;
        let from = base.oid;
        match self.git.move_ref(&name, Some(from), Some(commit)).await? {
            RefChange::Done => {
                self.knobs.ref_changed(&name, Some(base));
                let (sha, at, by) = (commit, merging.at, merging.by);
                record(store, number, |pull| pull.merge(Merged { sha, at, by }))?;
            }
            RefChange::Moved | RefChange::Refused => {
                record(store, number, |pull| pull.merging = None)?;
                return Err(MergeRefusal::BaseModified);
            }
        }
        self.delete_merged_branch(store, &pull).await?;
        self.settle(store, Scope::Branch(&pull.base)).await?;
        Ok(commit)
    }

    /// Makes the commit that the base is to come to. No ref leads to it yet.
    pub(super) async fn commit_to_land(
        &self,
        pull: &Pull,
        request: &MergeRequest,
        base: Oid,
        committer: &Signature,
    ) -> Result<Oid, MergeRefusal> {
        let MergeOutcome::Clean(tree) = self.git.merge(base, pull.head_sha).await? else {
            return Err(MergeRefusal::NotMergeable);
        };
        let commits = self.git.commits(&self.git.relation(base, pull.head_sha).await?.ahead).await?;
        if request.method == MergeMethod::Rebase {
            return self.rebase(base, &commits, committer).await;
        }
        let words = Words::usual(&self.identity().owner, pull, request.method, &commits);
        let (parents, author) = match (request.method, &commits[..]) {
            (MergeMethod::Squash, [only]) => {
                let at = clock::now().fixed_offset();
                let author = Signature { at, ..only.author.clone() };
                (vec![base], author)
            }
            (MergeMethod::Squash, _) => (vec![base], Signature::user(&pull.user)),
            _ => (vec![base, pull.head_sha], Signature::user(&request.by)),
        };
        let commit = NewCommit {
            tree,
            parents,
            author,
            committer: committer.clone(),
            message: words.or(request).text(),
            signature: None,
        };
        Ok(self.git.write_commit(&commit).await?)
    }

    /// Repeats the commits one by one on top of the base. GitHub makes new ones even where they already lie there.
    async fn rebase(&self, base: Oid, commits: &[Commit], committer: &Signature) -> Result<Oid, MergeRefusal> {
        let mut tip = base;
        for commit in commits {
            let [parent] = commit.parents[..] else {
                return Err(MergeRefusal::NotRebaseable);
            };
            let tree = if parent == tip {
                commit.tree
            } else {
                match self.git.replay(commit.oid, parent, tip).await? {
                    MergeOutcome::Clean(tree) => tree,
                    MergeOutcome::Conflict => return Err(MergeRefusal::NotRebaseable),
                }
            };
            let repeated = NewCommit {
                tree,
                parents: vec![tip],
                author: commit.author.clone(),
                committer: committer.clone(),
                message: commit.message.clone(),
                signature: None,
            };
            tip = self.git.write_commit(&repeated).await?;
        }
        Ok(tip)
    }

    /// Deletes the head branch, where the repository wants that, if it still is where it was merged; if not, it is kept, as
    /// nobody asked for more.
    pub(super) async fn delete_merged_branch(&self, store: &mut Store, pull: &Pull) -> Result<(), WorldError> {
        if let Some(name) = RefName::branch(&pull.head)
            && store.state.settings.delete_branch_on_merge
        {
            let before = RefTarget { oid: pull.head_sha, kind: "commit".to_owned() };
            if self.git.move_ref(&name, Some(before.oid), None).await? == RefChange::Done {
                self.knobs.ref_changed(&name, Some(before));
                self.settle_pulls(store, Scope::Branch(&pull.head)).await?;
            }
        }
        Ok(())
    }
}

fn check_rules(state: &State, pull: &Pull, method: MergeMethod, relation: &Relation) -> Result<(), MergeRefusal> {
    let allowed = state.settings.merge_methods;
    let enabled = match method {
        MergeMethod::Merge => allowed.merge,
        MergeMethod::Squash => allowed.squash,
        MergeMethod::Rebase => allowed.rebase,
    };
    if !enabled {
        return Err(MergeRefusal::MethodDisabled(method));
    }
    match gate::obstacle(state, pull, relation.behind == 0) {
        Some(words) => Err(MergeRefusal::Protected(words)),
        None => Ok(()),
    }
}

pub(super) fn record(store: &mut Store, number: u64, change: impl FnOnce(&mut Pull)) -> Result<(), WorldError> {
    if let Some(pull) = store.state.pulls.get_mut(&number) {
        change(pull);
    }
    Ok(store.save()?)
}

/// Title and message of a merge's commit.
struct Words {
    title: String,
    message: String,
}

impl Words {
    /// What GitHub writes if the client says nothing.
    fn usual(owner: &str, pull: &Pull, method: MergeMethod, commits: &[Commit]) -> Self {
        let number = pull.number;
        match (method, commits) {
            (MergeMethod::Squash, [only]) => {
                Self { title: format!("{} (#{number})", only.subject()), message: only.body().to_owned() }
            }
            (MergeMethod::Squash, many) => Self {
                title: format!("{} (#{number})", pull.title),
                message: many
                    .iter()
                    .map(|commit| format!("* {}", commit.message.trim()))
                    .collect::<Vec<_>>()
                    .join("\n\n"),
            },
            _ => Self {
                title: format!("Merge pull request #{number} from {owner}/{}", pull.head),
                message: pull.title.clone(),
            },
        }
    }

    /// What the client says, where it says something.
    fn or(self, request: &MergeRequest) -> Self {
        Self {
            title: request.title.clone().unwrap_or(self.title),
            message: request.message.clone().unwrap_or(self.message),
        }
    }

    fn text(&self) -> String {
        format!("{}\n\n{}", self.title, self.message).trim_end().to_owned()
    }
}
