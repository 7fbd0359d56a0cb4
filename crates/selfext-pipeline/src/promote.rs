//! The way of one change set from `proposed` to `promoted`.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use selfext_domain::ports::{Published, RestListener};
use selfext_domain::{
    ChangeSet, CommitSha, MergeQueueRule, Phase, Reason, Refusal, Rules, Run, RunId, Stage, evidence_of,
};

use crate::begin::Begun;
use crate::follow::Followed;
use crate::gate::Gate;
use crate::journal::{Journal, Stop};
use crate::merge::Asked;
use crate::publish::Found;
use crate::telling::Telling;
use crate::verify::Verified;
use crate::{Observer, Outcome, Pipeline, PromoteError, Step, refusals};

/// How often one call takes a run up again, before it gives up.
pub(crate) const MAX_DRIVES: u32 = 20;

impl Pipeline {
    /// Takes a change set to the base branch, or as far as it may go.
    ///
    /// May be repeated, after a crash, after a refusal, and by several processes at once: the same change set has one run,
    /// one pull request and at most one merge. The table in the [crate docs](crate) says what a repetition does.
    ///
    /// # Errors
    /// [`PromoteError`] only where it is not known how the run stands, or the ledger could not record the next step;
    /// refusals and failures are outcomes.
    pub async fn promote(
        &self,
        change: &ChangeSet,
        run_id: Option<&RunId>,
        observer: &dyn Observer,
    ) -> Result<Outcome, PromoteError> {
        match self.begin(change, run_id, observer).await? {
            Begun::Open(run) => self.drive_to_an_end(change, *run, observer).await,
            Begun::Over(outcome) => Ok(outcome),
        }
    }

    /// Takes an open run of this change set as far as it may go, together with whoever else drives it.
    pub(crate) async fn drive_to_an_end(
        &self,
        change: &ChangeSet,
        mut run: Run,
        observer: &dyn Observer,
    ) -> Result<Outcome, PromoteError> {
        for _ in 0..MAX_DRIVES {
            let id = run.id().clone();
            run = match self.drive(change, run, observer).await {
                Stop::Ended(outcome) => return Ok(*outcome),
                Stop::Error(error) => return Err(error),
                Stop::Again => Journal::open(&self.ports, &id).await?.into_run(),
                Stop::Overtaken => match self.follow(&id, observer).await? {
                    Followed::Ended(outcome) => return Ok(*outcome),
                    Followed::Stalled(stalled) => *stalled,
                },
            };
        }
        Err(PromoteError::Contended(run.id().clone()))
    }

    /// Takes an open run as far as it goes.
    async fn drive(&self, change: &ChangeSet, run: Run, observer: &dyn Observer) -> Stop {
        let telling = Telling::by(Arc::clone(&self.ports.clock));
        let heard = self.heard_by(Arc::clone(&telling) as Arc<dyn RestListener>);
        let id = run.id().clone();
        // On the heap, because telling holds it beside itself.
        let driving = Box::pin(async {
            let mut journal = Journal::new(&heard.ports, run);
            heard.advance(change, &mut journal, &telling, observer).await.unwrap_or_else(|stop| stop)
        });
        telling.beside(self, &id, driving).await
    }

    async fn advance(
        &self,
        change: &ChangeSet,
        journal: &mut Journal<'_>,
        telling: &Telling,
        observer: &dyn Observer,
    ) -> Result<Stop, Stop> {
        if matches!(journal.run().phase(), Phase::Merging | Phase::Fencing) {
            return self.follow_merge(journal, observer).await;
        }
        let (head, mut found) =
            futures::join!(self.ports.forge.branch_head(&self.config.base), self.find_published(journal.run()));
        let mut base = match head {
            Ok(base) => base,
            Err(error) => {
                let refusal = refusals::of_forge(Stage::PromotionPipeline, "the base branch could not be read", &error);
                return journal.refuse(refusal, None).await;
            }
        };
        if let Some(stop) = self.record_unrecorded(journal, &base, observer).await? {
            return Ok(stop);
        }
        let mut moves = 0;
        loop {
            let verified = self.verify(change, journal, &base, moves + 1, observer).await?;
            self.guard_control(journal).await?;
            let published = self.publish(change, journal, &verified, &found, observer).await?;
            let tip = match self.pass_gate_and_merge(change, journal, &verified, &published, telling, observer).await? {
                Passed::Ended(stop) => return Ok(stop),
                Passed::BaseMoved(tip) => tip,
            };
            moves += 1;
            if moves > verified.rules.max_base_moves {
                return journal.refuse(base_keeps_moving(&verified, &tip), Some(published.pull_request)).await;
            }
            observer.on(&Step::BaseMoved { base: tip.clone() });
            base = tip;
            found = Found::Unknown;
        }
    }

    /// What an earlier drive of the run may have published. Where it cannot be read, publishing finds out.
    async fn find_published(&self, run: &Run) -> Found {
        if run.tested().is_none() {
            return Found::Nothing;
        }
        match self.ports.forge.find_published(run.branch(), &self.config.base).await {
            Ok(Some(standing)) => Found::Standing(Box::new(standing)),
            Ok(None) => Found::Nothing,
            Err(_) => Found::Unknown,
        }
    }

    /// Waits, at the ledger alone, until no landed change holds this one back any more; refuses it at the time limit.
    async fn wait_in_line(
        &self,
        journal: &mut Journal<'_>,
        refusal: Refusal,
        published: &Published,
        until: DateTime<Utc>,
        telling: &Telling,
    ) -> Result<Option<Stop>, Stop> {
        let config = &self.config;
        loop {
            if self.ports.clock.now() > until {
                return journal.refuse(refusal, Some(published.pull_request)).await.map(Some);
            }
            let what = in_line_for(&refusal).to_owned();
            telling.during(what, until, self.ports.clock.sleep(config.retry_pause)).await;
            let standing = self.ports.ledger.health_standing(&config.repository, &config.base, Duration::ZERO).await?;
            if standing.watched.is_empty() {
                return Ok(None);
            }
        }
    }

    /// Waits, at the ledger alone, until no other merge into the base is under way, or for as long as that may take.
    async fn wait_for_merge(
        &self,
        until: DateTime<Utc>,
        telling: &Telling,
        observer: &dyn Observer,
    ) -> Result<(), Stop> {
        let what = format!("another merge into {}", self.config.base);
        loop {
            telling.during(what.clone(), until, self.ports.clock.sleep(self.config.retry_pause)).await;
            if !self.settle_overdue(observer).await? || self.ports.clock.now() > until {
                return Ok(());
            }
        }
    }

    /// Shows the evidence, waits for the gate, and merges once it is green and no other merge into the base is under way.
    async fn pass_gate_and_merge(
        &self,
        change: &ChangeSet,
        journal: &mut Journal<'_>,
        verified: &Verified,
        published: &Published,
        telling: &Telling,
        observer: &dyn Observer,
    ) -> Result<Passed, Stop> {
        let passed = self.wait_for_gate_and_merge(change, journal, verified, published, telling, observer).await;
        telling.over();
        passed
    }

    async fn wait_for_gate_and_merge(
        &self,
        change: &ChangeSet,
        journal: &mut Journal<'_>,
        verified: &Verified,
        published: &Published,
        telling: &Telling,
        observer: &dyn Observer,
    ) -> Result<Passed, Stop> {
        let begun = self.ports.clock.now();
        let mut patience = Patience::default();
        let mut evidence = Some(evidence_of(true, &verified.tested.stages, change));
        loop {
            let evidence = evidence.take();
            let way = match self.pass_gate(journal, verified, published, evidence, telling, observer).await? {
                Gate::Passed(way) => way,
                Gate::BaseMoved(tip) => return Ok(Passed::BaseMoved(tip)),
            };
            let refusal = match self.merge(change, journal, verified, published, way, observer).await? {
                Asked::Ended(stop) => return Ok(Passed::Ended(stop)),
                Asked::NotYet(refusal) => refusal,
            };
            observer.on(&Step::WaitingForMerge { detail: refusal.detail.clone() });
            if holds_a_line(&refusal, &verified.rules, journal.run()) {
                let until = begun + verified.rules.gate.wait;
                if let Some(stop) = self.wait_in_line(journal, refusal, published, until, telling).await? {
                    return Ok(Passed::Ended(stop));
                }
                continue;
            }
            // A change in a queue stands in the way for longer than a merge does.
            let longest = waits_for_another(&verified.rules).unwrap_or(self.config.permit_deadline);
            let now = self.ports.clock.now();
            let until = patience.until(&refusal, now + longest);
            if now > until {
                return Ok(Passed::Ended(journal.refuse(refusal, Some(published.pull_request)).await?));
            }
            self.wait_for_merge(until, telling, observer).await?;
        }
    }
}

/// Until when a promotion waits for what does not let it merge yet. Each refusal has its time, from when it was first met: what was
/// waited for before, checks or another merge, is not taken off it.
#[derive(Default)]
struct Patience(Option<(Refusal, DateTime<Utc>)>);

impl Patience {
    fn until(&mut self, refusal: &Refusal, until: DateTime<Utc>) -> DateTime<Utc> {
        match &self.0 {
            Some((met, until)) if met == refusal => *until,
            _ => {
                self.0 = Some((refusal.clone(), until));
                until
            }
        }
    }
}

/// Whether a refusal is one that a change waits for in line, where the rules say so. What takes a change back stands in no line.
pub(crate) fn holds_a_line(refusal: &Refusal, rules: &Rules, run: &Run) -> bool {
    run.rollback_of().is_none()
        && matches!(refusal.reason, Reason::HealthWindowOpen | Reason::RollbackInProgress)
        && rules.health.as_ref().is_some_and(|health| health.queue)
}

/// For how long a change waits for another merge into the same base, where that may take long.
fn waits_for_another(rules: &Rules) -> Option<Duration> {
    matches!(rules.merge_queue, MergeQueueRule::Enqueue { .. }).then_some(rules.gate.wait)
}

/// What a change in line waits for, for those who look.
const fn in_line_for(refusal: &Refusal) -> &'static str {
    match refusal.reason {
        Reason::RollbackInProgress => "a change that is being taken back",
        _ => "a change that landed and has to prove itself",
    }
}

/// How a published change got past the gate.
enum Passed {
    /// It is known how the run stands.
    Ended(Stop),
    /// The base has another tip.
    BaseMoved(CommitSha),
}

fn base_keeps_moving(verified: &Verified, tip: &CommitSha) -> Refusal {
    let moves = verified.rules.max_base_moves;
    Refusal::new(
        Stage::PromotionPipeline,
        Reason::BaseMoved,
        format!(
            "the base moved to {tip} while the change was verified on {}, and merge.max_base_moves allows {moves} new verifications. \
             Promote the same change again when the base is quieter.",
            verified.candidate.base
        ),
    )
}
