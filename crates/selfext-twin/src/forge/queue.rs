//! The merge queue of a branch.
//!
//! Each entry gets a commit of its own: the base, or the commit of the entry ahead, with its pull request merged into it. The
//! base moves to that commit once it has passed the checks that the base asks for and is at the front. What anybody does to the
//! branches or the pull requests is seen at the next look, and what no longer fits is made anew.

use super::Scope;
use super::gate::{self, Verdict};
use super::merging::record;
use crate::clock;
use crate::git::{MergeOutcome, Oid, RefChange, RefName, RefTarget};
use crate::state::{Merged, Merging, Pull, Queued, State, Store};
use crate::world::{World, WorldError};

/// Who merges what a queue lets through.
pub(super) const QUEUE_LOGIN: &str = "github-merge-queue[bot]";

/// Why a pull request was not put into a queue or taken out of it.
#[derive(Debug)]
pub(crate) enum EnqueueRefusal {
    /// There is no such pull request.
    NotFound,
    /// It is not fit for it, in these words.
    Unfit(String),
    /// The machine failed.
    Failed(WorldError),
}

impl<E: Into<WorldError>> From<E> for EnqueueRefusal {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// What a look at a queue's front comes to.
enum Step {
    /// These land, in this order.
    Land(Vec<u64>),
    /// This one has failed.
    ThrowOut(u64),
}

impl World {
    /// Puts a pull request into the queue of its base, and gives it as it was put there. It lands at a later look at the
    /// earliest.
    pub(crate) async fn enqueue(
        &self,
        store: &mut Store,
        number: u64,
        expected: Option<&str>,
        jump: bool,
    ) -> Result<Pull, EnqueueRefusal> {
        self.settle(store, Scope::One(number)).await?;
        let mut pull = store.state.pulls.get(&number).ok_or(EnqueueRefusal::NotFound)?.clone();
        if let Some(words) = unfit(&store.state, &pull, expected) {
            return Err(EnqueueRefusal::Unfit(words));
        }
        let base = self.branch_tip(&pull.base).await?.ok_or(EnqueueRefusal::NotFound)?;
        if self.git.merge(base, pull.head_sha).await? == MergeOutcome::Conflict {
            return Err(EnqueueRefusal::Unfit("Pull request is not mergeable".to_owned()));
        }
        pull.queued = Some(Queued {
            id: store.state.next_id(),
            place: store.state.next_place(&pull.base, jump),
            at: clock::now(),
            by: self.config.login.clone(),
            jump,
        });
        store.state.pulls.insert(number, pull.clone());
        store.save()?;
        self.build_queue(store, &pull.base).await?;
        Ok(pull)
    }

    /// Takes a pull request out of its queue.
    pub(crate) async fn dequeue(&self, store: &mut Store, number: u64) -> Result<(), EnqueueRefusal> {
        self.settle(store, Scope::One(number)).await?;
        let pull = store.state.pulls.get(&number).ok_or(EnqueueRefusal::NotFound)?.clone();
        if pull.queued.is_none() {
            let words = format!("Failed to remove PR #{number} from the merge queue: it is not in the queue");
            return Err(EnqueueRefusal::Unfit(words));
        }
        record(store, number, |pull| pull.queued = None)?;
        Ok(self.build_queue(store, &pull.base).await?)
    }

    /// Takes all queues as far as they go, for somebody who only reads.
    pub(crate) async fn look_at_queues(&self) -> Result<(), WorldError> {
        self.advance_queues(&mut *self.store.lock().await).await
    }

    /// Takes all queues as far as they go.
    pub(crate) async fn advance_queues(&self, store: &mut Store) -> Result<(), WorldError> {
        for base in store.state.queues() {
            self.build_queue(store, &base).await?;
            while let Some(step) = next_step(&store.state, &base) {
                match step {
                    Step::Land(numbers) => {
                        if self.land(store, &base, &numbers).await? == RefChange::Refused {
                            break;
                        }
                    }
                    Step::ThrowOut(number) => record(store, number, |pull| pull.queued = None)?,
                }
                self.build_queue(store, &base).await?;
            }
        }
        Ok(())
    }

    /// Lets the base move to the commit of the last of these entries, which lies on those of the others.
    ///
    /// The intent is recorded before the base moves and the result after it, so that a crash in between is settled at the next
    /// look.
    async fn land(&self, store: &mut Store, base: &str, numbers: &[u64]) -> Result<RefChange, WorldError> {
        let (Some(name), Some(pulls)) = (RefName::branch(base), entries(&store.state, numbers)) else {
            return Ok(RefChange::Refused);
        };
        let (Some((_, from, _)), Some((_, _, to))) = (pulls.first().cloned(), pulls.last().cloned()) else {
            return Ok(RefChange::Refused);
        };
        let at = clock::now();
        for (pull, _, commit) in &pulls {
            let by = QUEUE_LOGIN.to_owned();
            let merging = Merging { commit: *commit, at, by };
            store.state.pulls.insert(pull.number, Pull { merging: Some(merging), ..pull.clone() });
        }
        store.save()?;
        let change = self.git.move_ref(&name, Some(from), Some(to)).await?;
        let before = RefTarget { oid: from, kind: "commit".to_owned() };
        for (pull, _, commit) in &pulls {
            let mut pull = pull.clone();
            if change == RefChange::Done {
                pull.merge(Merged { sha: *commit, at, by: QUEUE_LOGIN.to_owned() });
            }
            store.state.pulls.insert(pull.number, pull);
        }
        store.save()?;
        if change == RefChange::Done {
            self.knobs.ref_changed(&name, Some(before));
            for (pull, ..) in &pulls {
                self.delete_merged_branch(store, pull).await?;
            }
        }
        Ok(change)
    }
}

/// Why a pull request may not be put into a queue, as far as the repository need not be asked.
fn unfit(state: &State, pull: &Pull, expected: Option<&str>) -> Option<String> {
    let words = if pull.merged.is_some() {
        "Pull request is already merged"
    } else if !pull.open {
        "Pull request is closed"
    } else if pull.draft {
        "Pull request is in draft state"
    } else if pull.queued.is_some() {
        "Pull request is already in the queue"
    } else if expected.is_some_and(|expected| Oid::parse(expected) != Some(pull.head_sha)) {
        "Pull request head sha didn't match the expected head oid"
    } else if state.settings.queue_rules(&pull.base).is_none() {
        "Pull request The base branch does not have a merge queue"
    } else {
        return gate::keeps_out_of_queue(state, pull).map(|words| format!("Pull request {words}"));
    };
    Some(words.to_owned())
}

/// These entries, each with what its commit lies on and the commit.
fn entries(state: &State, numbers: &[u64]) -> Option<Vec<(Pull, Oid, Oid)>> {
    let entry = |number: &u64| {
        let pull = state.pulls.get(number)?;
        let group = pull.group.as_ref()?;
        Some((pull.clone(), group.base, group.commit))
    };
    numbers.iter().map(entry).collect()
}

/// What is next to be done with a queue whose commits are made.
fn next_step(state: &State, base: &str) -> Option<Step> {
    let rules = state.settings.queue_rules(base)?;
    let built = state.queue(base).into_iter().map_while(|number| {
        let group = state.pulls.get(&number)?.group.as_ref()?;
        Some((number, gate::verdict(state, base, group.commit)))
    });
    let together = if rules.head_green { rules.merge_at_once.max(1) } else { 1 };
    let group: Vec<(u64, Verdict)> = built.take(together).collect();
    if let Some(last) = group.iter().rposition(|(_, verdict)| *verdict == Verdict::Green) {
        return Some(Step::Land(group[..=last].iter().map(|(number, _)| *number).collect()));
    }
    match group.last() {
        Some((number, Verdict::Red)) => Some(Step::ThrowOut(*number)),
        _ => None,
    }
}
