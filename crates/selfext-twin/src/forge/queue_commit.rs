//! The commits that a merge queue makes to have them tested.

use chrono::TimeDelta;

use super::merging::record;
use super::queue::QUEUE_LOGIN;
use super::{MergeRefusal, MergeRequest, Scope};
use crate::control::{MergeMethod, QueueCommit};
use crate::git::{Oid, RefChange, RefName, RefTarget, Signature};
use crate::state::{Group, Pull, State, Store};
use crate::world::{World, WorldError};

impl World {
    /// Brings a queue up to date with the repository and makes the commits that are missing. Who does not fit onto those ahead
    /// is thrown out.
    pub(super) async fn build_queue(&self, store: &mut Store, base: &str) -> Result<(), WorldError> {
        self.settle_pulls(store, Scope::Branch(base)).await?;
        let Some(rules) = store.state.settings.queue_rules(base).cloned() else {
            for number in store.state.queue(base) {
                record(store, number, |pull| pull.queued = None)?;
            }
            return self.clear_away(store).await;
        };
        let Some(mut parent) = self.branch_tip(base).await? else {
            return self.clear_away(store).await;
        };
        let mut built = 0;
        for number in store.state.queue(base) {
            let Some(pull) = store.state.pulls.get(&number).cloned() else { continue };
            if built >= rules.build_at_once.max(1) {
                self.unbuild(store, &pull).await?;
                continue;
            }
            match &pull.group {
                Some(group) if group.base == parent => self.show(group).await?,
                _ => {
                    self.unbuild(store, &pull).await?;
                    if let Err(refusal) = self.build(store, &pull, parent, rules.method).await {
                        match refusal {
                            MergeRefusal::Failed(error) => return Err(error),
                            _ => record(store, number, |pull| pull.queued = None)?,
                        }
                        continue;
                    }
                }
            }
            built += 1;
            if let Some(group) = store.state.pulls.get(&number).and_then(|pull| pull.group.as_ref()) {
                parent = group.commit;
            }
        }
        self.clear_away(store).await
    }

    /// Makes the commit of an entry. It is recorded before its branch is made: the branch is made good at the next look.
    async fn build(
        &self,
        store: &mut Store,
        pull: &Pull,
        parent: Oid,
        method: MergeMethod,
    ) -> Result<(), MergeRefusal> {
        let request = MergeRequest {
            number: pull.number,
            head: None,
            method,
            title: None,
            message: None,
            by: QUEUE_LOGIN.to_owned(),
        };
        let mut committer = Signature::twin();
        let mut commit = self.commit_to_land(pull, &request, parent, &committer).await?;
        // Made twice within a second it would be the same commit, with the checks that were reported on the first.
        while is_judged(&store.state, commit) && commit != parent {
            committer.at += TimeDelta::seconds(1);
            commit = self.commit_to_land(pull, &request, parent, &committer).await?;
        }
        let group = Group {
            base: parent,
            commit,
            branch: format!("gh-readonly-queue/{}/pr-{}-{parent}", pull.base, pull.number),
        };
        let made = QueueCommit {
            number: pull.number,
            base: pull.base.clone(),
            base_sha: parent.to_string(),
            branch: group.branch.clone(),
            sha: commit.to_string(),
        };
        for check in self.knobs.on_queue_commit().map(|rule| rule(&made)).unwrap_or_default() {
            store.state.set_check(commit, check);
        }
        record(store, pull.number, |pull| pull.group = Some(group.clone()))?;
        Ok(self.show(&group).await?)
    }

    /// Sees to it that a commit's branch leads to it.
    async fn show(&self, group: &Group) -> Result<(), WorldError> {
        let Some(name) = RefName::branch(&group.branch) else { return Ok(()) };
        self.put(&name, Some(group.commit)).await
    }

    /// Takes an entry's commit away, with its branch.
    async fn unbuild(&self, store: &mut Store, pull: &Pull) -> Result<(), WorldError> {
        let Some(group) = &pull.group else { return Ok(()) };
        if let Some(name) = RefName::branch(&group.branch) {
            self.put(&name, None).await?;
        }
        record(store, pull.number, |pull| pull.group = None)
    }

    /// Takes away the commits of those who are in no queue any more.
    async fn clear_away(&self, store: &mut Store) -> Result<(), WorldError> {
        let left = |pull: &&Pull| pull.queued.is_none() && pull.group.is_some();
        let left: Vec<Pull> = store.state.pulls.values().filter(left).cloned().collect();
        for pull in left {
            self.unbuild(store, &pull).await?;
        }
        Ok(())
    }

    /// Puts a branch of the queue where it is to be. Whoever moves it meanwhile is overruled at the next look.
    async fn put(&self, name: &RefName, to: Option<Oid>) -> Result<(), WorldError> {
        let before = self.git.find_ref(name).await?;
        let from = before.as_ref().map(|target: &RefTarget| target.oid);
        if from != to && self.git.move_ref(name, from, to).await? == RefChange::Done {
            self.knobs.ref_changed(name, before);
        }
        Ok(())
    }
}

/// Whether anything was reported on a commit.
fn is_judged(state: &State, commit: Oid) -> bool {
    state.statuses.contains_key(&commit) || state.checks.contains_key(&commit)
}
