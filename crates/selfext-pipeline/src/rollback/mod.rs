//! Taking a landed change back: a run of its own, by the same guarded path.
//!
//! The run that is taken back says which run does so (`rollback_started`), before anything else happens; that run says on which
//! commit it was made (`made_on`), so that whoever goes on with it after a crash makes the very same change set again.

mod change;
mod outcome;
mod plan;
mod prepared;

use selfext_domain::ports::VerifierError;
use selfext_domain::{
    ChangeSet, CommitSha, Failed, Inverse, Phase, Promoted, Reason, Refusal, RollbackFailed, RollbackStarted,
    RolledBack, Run, RunId, Stage, redact,
};

pub use outcome::{RollbackEnding, RollbackOutcome};
pub use plan::RollbackPlan;

use crate::journal::{Journal, Stop};
use crate::{Ending, Observer, Outcome, Pipeline, PromoteError, Step, refusals};

/// How often one call makes the rollback anew, because others changed the same files in the meantime.
const MAX_REMAKES: u32 = 3;

impl Pipeline {
    /// Takes a landed change back, or goes on with a rollback that is under way: every path that it changed is as it was before it,
    /// and what others changed afterwards is kept. The rollback is a run of its own, with verification, pull request, gate and
    /// permit; what holds back promotions because of this run does not hold it back. It obeys a pause, unless that allows rollbacks.
    ///
    /// May be repeated, after a crash, after a refusal, and by several processes at once: one run at a time takes a run back.
    ///
    /// # Errors
    /// [`PromoteError::NotLanded`], [`PromoteError::IsRollback`], [`PromoteError::NoRun`], [`PromoteError::OtherRepository`],
    /// [`PromoteError::OtherBase`]; others only where it is not known how the runs stand, or the ledger could not record the
    /// next step. Refusals and failures are outcomes.
    pub async fn roll_back(
        &self,
        run: &RunId,
        why: &str,
        observer: &dyn Observer,
    ) -> Result<RollbackOutcome, PromoteError> {
        let mut remakes = 0;
        for _ in 0..crate::promote::MAX_DRIVES {
            let mut target = self.open_landed(run).await?;
            let ended = match target.run().phase() {
                Phase::RolledBack => return Ok(RollbackOutcome::of(target.run())),
                Phase::RollingBack => self.go_on(&mut target, observer).await,
                _ => self.start(&mut target, why, observer).await,
            };
            match ended {
                Ok(outcome) if outcome.is_to_be_remade() && remakes < MAX_REMAKES => remakes += 1,
                Ok(outcome) => return Ok(outcome),
                Err(Stop::Error(error)) => return Err(error),
                // Another process wrote to either run: read them anew.
                Err(Stop::Overtaken | Stop::Again) => self.ports.clock.sleep(self.config.retry_pause).await,
                Err(Stop::Ended(_)) => {}
            }
        }
        Err(PromoteError::Contended(run.clone()))
    }

    /// Reads a run whose change is to be taken back, and which one landed.
    async fn open_landed(&self, run: &RunId) -> Result<Journal<'_>, PromoteError> {
        let journal = self.open_here(run).await?;
        let subject = journal.run().subject();
        if subject.base != self.config.base {
            return Err(PromoteError::OtherBase { run: run.clone(), base: subject.base.clone() });
        }
        if journal.run().rollback_of().is_some() {
            return Err(PromoteError::IsRollback(run.clone()));
        }
        if !journal.run().phase().has_landed() {
            return Err(PromoteError::NotLanded { run: run.clone(), phase: journal.run().phase() });
        }
        Ok(journal)
    }

    async fn start(
        &self,
        target: &mut Journal<'_>,
        why: &str,
        observer: &dyn Observer,
    ) -> Result<RollbackOutcome, Stop> {
        let made = match self.make(target.run()).await? {
            Ok(made) => made,
            // Nothing has begun, so nothing is recorded.
            Err(refusal) => return Ok(RollbackOutcome::new(target.run(), None, RollbackEnding::Waiting(refusal))),
        };
        let rollback_run = self.ports.ids.run_id();
        let started = RollbackStarted { rollback_run: rollback_run.clone(), detail: redact(why).into_owned() };
        target.record(started, None).await?;
        observer.on(&Step::RollbackStarted { run: target.run().id().clone(), rollback_run });
        self.begin_made(target, made, observer).await
    }

    /// Goes on with the rollback that the run names.
    async fn go_on(&self, target: &mut Journal<'_>, observer: &dyn Observer) -> Result<RollbackOutcome, Stop> {
        let rollback_run = rollback_of(target.run())?;
        let events = self.ports.ledger.stream_events(&rollback_run.into()).await?;
        if events.is_empty() {
            return match self.make(target.run()).await? {
                Ok(made) => self.begin_made(target, made, observer).await,
                Err(refusal) => Ok(RollbackOutcome::new(target.run(), None, RollbackEnding::Waiting(refusal))),
            };
        }
        self.take_on(target, Run::fold(&events)?, observer).await
    }

    /// The inverse on the base's tip; a refusal if that cannot be made now.
    async fn make(&self, target: &Run) -> Result<Result<Made, Refusal>, Stop> {
        let base = match self.ports.forge.branch_head(&self.config.base).await {
            Ok(base) => base,
            Err(error) => {
                return Ok(Err(refusals::of_forge(Stage::Rollback, "the base branch could not be read", &error)));
            }
        };
        Ok(self.invert(target, &base).await?.map(|inverse| Made { base, inverse }))
    }

    async fn invert(&self, target: &Run, base: &CommitSha) -> Result<Result<Inverse, Refusal>, Stop> {
        let landed = landed(target)?.commit.clone();
        Ok(self.ports.verifier.invert(&self.config.base, &landed, base).await.map_err(|error: VerifierError| {
            let refusal = refusals::of_verifier(error);
            Refusal { stage: Stage::Rollback, ..refusal }
        }))
    }

    /// Begins the run of a rollback that the ledger announces, and takes it on.
    async fn begin_made(
        &self,
        target: &mut Journal<'_>,
        made: Made,
        observer: &dyn Observer,
    ) -> Result<RollbackOutcome, Stop> {
        if !made.inverse.conflicts.is_empty() {
            return self.give_to_a_human(target, &made, observer).await;
        }
        if made.inverse.files.is_empty() {
            // Somebody was faster.
            return self.taken_back(target, made.base).await;
        }
        let change = change::of(target.run(), &made.inverse)?;
        let rollback_run = rollback_of(target.run())?;
        let recorded = self.propose_rollback(&change, target.run().id(), &rollback_run, &made.base).await?;
        let run = Run::fold(std::slice::from_ref(&recorded))?;
        observer.on(&Step::Began { run: rollback_run });
        self.drive_rollback(target, &change, run, observer).await
    }

    /// Takes on a rollback whose run has begun.
    async fn take_on(
        &self,
        target: &mut Journal<'_>,
        run: Run,
        observer: &dyn Observer,
    ) -> Result<RollbackOutcome, Stop> {
        if !run.phase().is_open() {
            let outcome = Outcome::of(&run, true).ok_or(Stop::Overtaken)?;
            return self.conclude(target, outcome).await;
        }
        let made_on = run.first_base().cloned().ok_or(Stop::Overtaken)?;
        let inverse = match self.invert(target.run(), &made_on).await? {
            Ok(inverse) => inverse,
            Err(refusal) => return Ok(RollbackOutcome::new(target.run(), None, RollbackEnding::Waiting(refusal))),
        };
        let change = change::of(target.run(), &inverse)?;
        if change.fingerprint() == run.subject().fingerprint {
            return self.drive_rollback(target, &change, run, observer).await;
        }
        // Only another version of selfext makes another inverse of the same commits.
        let mut journal = Journal::new(&self.ports, run);
        if journal.run().phase().may_merge() {
            let fenced = self.fence(&mut journal, "its change set cannot be made again", observer).await;
            let stop = fenced.unwrap_or_else(|stop| stop);
            return self.conclude_stop(target, stop).await;
        }
        let detail = "the rollback's change set cannot be made again as it was. It is made anew.".to_owned();
        let refusal = Refusal::new(Stage::Rollback, Reason::BaseConflict, detail);
        journal.record(Failed { refusal: refusal.clone(), stages: Vec::new() }, None).await?;
        self.retire(&journal, observer).await;
        let stop = journal.end(Ending::Failed(refusal));
        self.conclude_stop(target, stop).await
    }

    async fn drive_rollback(
        &self,
        target: &mut Journal<'_>,
        change: &ChangeSet,
        run: Run,
        observer: &dyn Observer,
    ) -> Result<RollbackOutcome, Stop> {
        // What a whole promotion takes along belongs on the heap.
        let outcome = Box::pin(self.drive_to_an_end(change, run, observer)).await?;
        self.conclude(target, outcome).await
    }

    async fn conclude_stop(&self, target: &mut Journal<'_>, stop: Stop) -> Result<RollbackOutcome, Stop> {
        match stop {
            Stop::Ended(outcome) => self.conclude(target, *outcome).await,
            other => Err(other),
        }
    }

    /// Writes into the run that is taken back how the one that takes it back ended.
    async fn conclude(&self, target: &mut Journal<'_>, outcome: Outcome) -> Result<RollbackOutcome, Stop> {
        match outcome.ending {
            Ending::Promoted { commit, .. } => self.taken_back(target, commit).await,
            Ending::Blocked(refusal) => {
                Ok(RollbackOutcome::new(target.run(), outcome.pull_request, RollbackEnding::Waiting(refusal)))
            }
            Ending::InDoubt { detail } => {
                Ok(RollbackOutcome::new(target.run(), outcome.pull_request, RollbackEnding::InDoubt { detail }))
            }
            Ending::Failed(refusal) | Ending::VerificationFailed { refusal, .. } => {
                self.not_taken_back(target, refusal, None).await
            }
            Ending::Abandoned | Ending::RolledBack { .. } => {
                let detail = "an operator ended the rollback before it landed.".to_owned();
                let refusal = Refusal::new(Stage::Rollback, Reason::RollbackAbandoned, detail);
                self.not_taken_back(target, refusal, None).await
            }
        }
    }

    async fn taken_back(&self, target: &mut Journal<'_>, commit: CommitSha) -> Result<RollbackOutcome, Stop> {
        let rollback_run = rollback_of(target.run())?;
        target.record(RolledBack { rollback_run, commit: commit.clone() }, None).await?;
        Ok(RollbackOutcome::new(target.run(), None, RollbackEnding::RolledBack { commit }))
    }

    async fn not_taken_back(
        &self,
        target: &mut Journal<'_>,
        refusal: Refusal,
        prepared: Option<selfext_domain::BranchName>,
    ) -> Result<RollbackOutcome, Stop> {
        let rollback_run = rollback_of(target.run())?;
        target.record(RollbackFailed { rollback_run, refusal: refusal.clone(), prepared }, None).await?;
        Ok(RollbackOutcome::new(target.run(), None, RollbackEnding::Failed(refusal)))
    }
}

/// What takes a change back, and the commit that it was made for.
struct Made {
    base: CommitSha,
    inverse: Inverse,
}

/// What landed. A run that has landed has it.
fn landed(run: &Run) -> Result<&Promoted, Stop> {
    run.promoted().ok_or(Stop::Overtaken)
}

/// The run that takes this one back. The fold sets it with `rollback_started`.
fn rollback_of(run: &Run) -> Result<RunId, Stop> {
    run.rollback().cloned().ok_or(Stop::Overtaken)
}
