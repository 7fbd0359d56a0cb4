//! How two commits stand to each other.

use std::sync::Arc;

use super::launcher::succeeded;
use super::{Git, GitError, Oid};

/// How far a plain line of commits is followed before git is asked.
const LONGEST_WALK: usize = 64;

/// What lies between a base and a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relation {
    /// Where both came from; `None` if they have no history in common.
    pub(crate) merge_base: Option<Oid>,
    /// The commits that only the head has, oldest first.
    pub(crate) ahead: Vec<Oid>,
    /// How many commits only the base has.
    pub(crate) behind: usize,
}

impl Relation {
    /// Whether everything that the head has is already in the base.
    pub(crate) fn is_contained(&self) -> bool {
        self.ahead.is_empty()
    }
}

impl Git {
    /// Compares two commits. Remembered, as commits never change.
    pub(crate) async fn relation(&self, base: Oid, head: Oid) -> Result<Arc<Relation>, GitError> {
        if let Some(known) = self.memo.relation(base, head) {
            return Ok(known);
        }
        let relation = Arc::new(self.work_out_relation(base, head).await?);
        self.memo.keep_relation(base, head, Arc::clone(&relation));
        Ok(relation)
    }

    /// Whether `ancestor` is `descendant` or one of the commits before it.
    pub(crate) async fn is_ancestor(&self, ancestor: Oid, descendant: Oid) -> Result<bool, GitError> {
        Ok(self.relation(descendant, ancestor).await?.is_contained())
    }

    async fn work_out_relation(&self, base: Oid, head: Oid) -> Result<Relation, GitError> {
        if let Some(ahead) = self.plain_line(base, head).await? {
            return Ok(Relation { merge_base: Some(base), ahead, behind: 0 });
        }
        if let Some(line) = self.plain_line(head, base).await? {
            return Ok(Relation { merge_base: Some(head), ahead: Vec::new(), behind: line.len() });
        }
        let range = format!("{base}...{head}");
        let arguments = ["rev-list", "--left-right", "--topo-order", "--reverse", &range, "--"];
        let listed = self.launcher.run(&arguments).await?;
        let mut ahead = Vec::new();
        let mut behind = 0;
        for line in String::from_utf8_lossy(&listed).lines() {
            if let Some(id) = line.strip_prefix('>') {
                let oid = Oid::parse(id).ok_or_else(|| GitError::unexpected("rev-list", line.as_bytes()))?;
                ahead.push(oid);
            } else {
                behind += 1;
            }
        }
        let merge_base = match (ahead.is_empty(), behind) {
            (true, _) => Some(head),
            (false, 0) => Some(base),
            (false, _) => self.merge_base(base, head).await?,
        };
        Ok(Relation { merge_base, ahead, behind })
    }

    /// The commits after `from` up to `to`, oldest first, if they form a short line without merges. Then nothing
    /// else lies between the two, whatever the rest of the history looks like.
    async fn plain_line(&self, from: Oid, to: Oid) -> Result<Option<Vec<Oid>>, GitError> {
        let mut line = Vec::new();
        let mut here = to;
        while here != from {
            let Some(commit) = self.commit(here).await? else {
                return Ok(None);
            };
            let [parent] = commit.parents[..] else {
                return Ok(None);
            };
            if line.len() == LONGEST_WALK {
                return Ok(None);
            }
            line.push(here);
            here = parent;
        }
        line.reverse();
        Ok(Some(line))
    }

    async fn merge_base(&self, one: Oid, other: Oid) -> Result<Option<Oid>, GitError> {
        let answer = self.launcher.answer(&["merge-base", &one.to_string(), &other.to_string()]).await?;
        if answer.status.code() == Some(1) {
            return Ok(None);
        }
        let output = succeeded("merge-base", answer)?;
        match Oid::parse(String::from_utf8_lossy(&output).trim()) {
            Some(oid) => Ok(Some(oid)),
            None => Err(GitError::unexpected("merge-base", &output)),
        }
    }
}
