//! Three-way merges, and what is remembered of them.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use super::launcher::succeeded;
use super::{FileChange, Git, GitError, NewCommit, Oid, Relation, Signature};

/// How many answers of each kind are remembered.
const MOST_REMEMBERED: usize = 512;

/// What comes of merging two commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MergeOutcome {
    /// They fit together, and this is the tree.
    Clean(Oid),
    /// They do not.
    Conflict,
}

impl Git {
    /// Merges two commits without touching any ref. Remembered.
    pub(crate) async fn merge(&self, base: Oid, head: Oid) -> Result<MergeOutcome, GitError> {
        if let Some(known) = self.memo.merge(base, head) {
            return Ok(known);
        }
        let outcome = self.work_out_merge(base, head).await?;
        self.memo.keep_merge(base, head, outcome);
        Ok(outcome)
    }

    async fn work_out_merge(&self, base: Oid, head: Oid) -> Result<MergeOutcome, GitError> {
        let relation = self.relation(base, head).await?;
        let taken = match (relation.merge_base, relation.ahead.is_empty(), relation.behind) {
            (None, ..) => return Ok(MergeOutcome::Conflict),
            (_, true, _) => Some(base),
            (_, _, 0) => Some(head),
            _ => None,
        };
        if let Some(oid) = taken
            && let Some(tree) = self.tree_of(oid).await?
        {
            return Ok(MergeOutcome::Clean(tree));
        }
        self.merge_tree(&[&base.to_string(), &head.to_string()]).await
    }

    /// The commit that GitHub keeps of a merge that has not happened, to test it: `None` if the two conflict. No ref
    /// leads to it. The same two commits always give the same one.
    pub(crate) async fn test_merge(&self, base: Oid, head: Oid) -> Result<Option<Oid>, GitError> {
        if let Some(known) = self.memo.test_merges.get(&(base, head)) {
            return Ok(Some(known));
        }
        let MergeOutcome::Clean(tree) = self.merge(base, head).await? else {
            return Ok(None);
        };
        let Some(commit) = self.commit(head).await? else {
            return Ok(None);
        };
        let who = Signature { at: commit.committer.at, ..Signature::twin() };
        let commit = NewCommit {
            tree,
            parents: vec![base, head],
            author: who.clone(),
            committer: who,
            message: format!("Merge {head} into {base}"),
            signature: None,
        };
        let oid = self.write_commit(&commit).await?;
        self.memo.test_merges.put((base, head), oid);
        Ok(Some(oid))
    }

    /// Carries what `commit` changed against its parent over to `onto`.
    pub(crate) async fn replay(&self, commit: Oid, parent: Oid, onto: Oid) -> Result<MergeOutcome, GitError> {
        let from = format!("--merge-base={parent}");
        self.merge_tree(&[&from, &onto.to_string(), &commit.to_string()]).await
    }

    async fn merge_tree(&self, arguments: &[&str]) -> Result<MergeOutcome, GitError> {
        let mut all = vec!["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages"];
        all.extend(arguments);
        let answer = self.launcher.answer(&all).await?;
        if answer.status.code() == Some(1) {
            return Ok(MergeOutcome::Conflict);
        }
        let output = succeeded("merge-tree", answer)?;
        let tree = output.split(|byte| *byte == 0).next().unwrap_or_default();
        match Oid::parse(String::from_utf8_lossy(tree).trim()) {
            Some(tree) => Ok(MergeOutcome::Clean(tree)),
            None => Err(GitError::unexpected("merge-tree", &output)),
        }
    }
}

/// Answers about pairs of commits, which never change.
#[derive(Default)]
pub(super) struct Memo {
    relations: Bounded<(Oid, Oid), Arc<Relation>>,
    merges: Bounded<(Oid, Oid), MergeOutcome>,
    changes: Bounded<(Oid, Oid), Arc<Vec<FileChange>>>,
    test_merges: Bounded<(Oid, Oid), Oid>,
}

impl Memo {
    pub(super) fn relation(&self, base: Oid, head: Oid) -> Option<Arc<Relation>> {
        self.relations.get(&(base, head))
    }

    pub(super) fn keep_relation(&self, base: Oid, head: Oid, relation: Arc<Relation>) {
        self.relations.put((base, head), relation);
    }

    fn merge(&self, base: Oid, head: Oid) -> Option<MergeOutcome> {
        self.merges.get(&(base, head))
    }

    fn keep_merge(&self, base: Oid, head: Oid, outcome: MergeOutcome) {
        self.merges.put((base, head), outcome);
    }

    pub(super) fn changes(&self, from: Oid, to: Oid) -> Option<Arc<Vec<FileChange>>> {
        self.changes.get(&(from, to))
    }

    pub(super) fn keep_changes(&self, from: Oid, to: Oid, changes: Arc<Vec<FileChange>>) {
        self.changes.put((from, to), changes);
    }
}

/// A map that forgets everything when it is full: what it held can be worked out again.
struct Bounded<K, V>(Mutex<HashMap<K, V>>);

impl<K, V> Default for Bounded<K, V> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<K: Eq + Hash, V: Clone> Bounded<K, V> {
    fn get(&self, key: &K) -> Option<V> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn put(&self, key: K, value: V) {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if map.len() >= MOST_REMEMBERED {
            map.clear();
        }
        map.insert(key, value);
    }
}
