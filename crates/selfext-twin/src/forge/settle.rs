//! Brings what is recorded of open pull requests up to date with the repository.
//!
//! Refs may be moved by anybody with access to the repository, and the twin may have been killed in the middle of a
//! merge. Rather than hoping to hear of it, the twin looks whenever a pull request is read or a ref is moved.

use crate::clock;
use crate::git::{GitError, Oid, RefName};
use crate::state::{Merged, Pull, State, Store};
use crate::world::{World, WorldError};

/// Which pull requests are brought up to date.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scope<'a> {
    /// This one.
    One(u64),
    /// Those that merge this branch or are to be merged into it.
    Branch(&'a str),
    /// All of them.
    All,
}

impl World {
    /// Brings open pull requests up to date, and all merge queues as far as they go, and keeps what has changed.
    pub(crate) async fn settle(&self, store: &mut Store, scope: Scope<'_>) -> Result<(), WorldError> {
        self.settle_pulls(store, scope).await?;
        self.advance_queues(store).await
    }

    /// Brings open pull requests up to date and keeps what has changed, without a look at the queues.
    pub(super) async fn settle_pulls(&self, store: &mut Store, scope: Scope<'_>) -> Result<(), WorldError> {
        let open: Vec<(u64, String, String)> = store
            .state
            .pulls
            .values()
            .filter(|pull| {
                pull.open
                    && match scope {
                        Scope::One(number) => pull.number == number,
                        Scope::Branch(branch) => pull.head == branch || pull.base == branch,
                        Scope::All => true,
                    }
            })
            .map(|pull| (pull.number, pull.head.clone(), pull.base.clone()))
            .collect();
        let names: Vec<RefName> =
            open.iter().flat_map(|(_, head, base)| [RefName::branch(head), RefName::branch(base)]).flatten().collect();
        // Branch names were checked when their pull request was made, so each has its two refs here.
        let targets = self.git.find_refs(&names).await?;
        let mut changed = false;
        for ((number, ..), tips) in open.iter().zip(targets.chunks_exact(2)) {
            let tip = |at: usize| tips[at].as_ref().map(|target| target.oid);
            changed |= self.settle_one(&mut store.state, *number, tip(0), tip(1)).await?;
        }
        if changed {
            store.save()?;
        }
        Ok(())
    }

    async fn settle_one(
        &self,
        state: &mut State,
        number: u64,
        head: Option<Oid>,
        base: Option<Oid>,
    ) -> Result<bool, GitError> {
        let Some(mut pull) = state.pulls.get(&number).cloned() else {
            return Ok(false);
        };
        let settled = self.settled(&mut pull, head, base).await?;
        if settled == Settled::Unchanged {
            return Ok(false);
        }
        state.pulls.insert(number, pull);
        if settled == Settled::NewHead {
            self.announce_head(state, number);
        }
        Ok(true)
    }

    /// Brings one pull request up to date with where its branches are.
    async fn settled(&self, pull: &mut Pull, head: Option<Oid>, base: Option<Oid>) -> Result<Settled, GitError> {
        let mut settled = Settled::Unchanged;
        if let Some(merging) = pull.merging.take() {
            settled = Settled::Changed;
            if let Some(base) = base
                && self.git.is_ancestor(merging.commit, base).await?
            {
                pull.merge(Merged { sha: merging.commit, at: merging.at, by: merging.by });
                return Ok(settled);
            }
        }
        let Some(base) = base else {
            pull.close(clock::now());
            return Ok(Settled::Changed);
        };
        // Whoever brought the head's commits into the base by other means has merged the pull request.
        if base != pull.base_sha && self.git.is_ancestor(pull.head_sha, base).await? {
            pull.merge(Merged { sha: base, at: clock::now(), by: self.config.login.clone() });
            return Ok(Settled::Changed);
        }
        let Some(head) = head else {
            pull.close(clock::now());
            return Ok(Settled::Changed);
        };
        if head == pull.head_sha {
            return Ok(settled);
        }
        pull.head_sha = head;
        pull.base_sha = base;
        pull.queued = None;
        pull.updated_at = clock::now();
        if self.git.is_ancestor(head, base).await? {
            // A head moved back to where the base is leaves nothing to merge; GitHub closes the pull request.
            pull.close(clock::now());
            return Ok(Settled::Changed);
        }
        Ok(Settled::NewHead)
    }
}

/// What a look at a pull request's branches came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Settled {
    /// It is as it was recorded.
    Unchanged,
    /// It is recorded anew.
    Changed,
    /// It has another head, still to be merged.
    NewHead,
}
