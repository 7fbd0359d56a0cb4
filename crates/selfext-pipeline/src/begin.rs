//! Finding the run of a change set, or beginning one.

use selfext_domain::ports::LedgerError;
use selfext_domain::{
    BranchName, ChangeSet, CommitSha, CorrelationId, Digest32, Event, FileAction, FileChange, FileSummary, Phase,
    Proposed, RecordedEvent, Run, RunId, plain,
};

use crate::{Observer, Outcome, Pipeline, PromoteError, Step};

/// What a change set's run is.
pub(crate) enum Begun {
    /// It is open, or was begun now.
    Open(Box<Run>),
    /// It is over.
    Over(Outcome),
}

impl Pipeline {
    /// The run of a change set: the given one, the open one of the same subject, or a new one.
    pub(crate) async fn begin(
        &self,
        change: &ChangeSet,
        run_id: Option<&RunId>,
        observer: &dyn Observer,
    ) -> Result<Begun, PromoteError> {
        let subject = self.subject(change);
        if let Some(id) = run_id {
            let events = self.ports.ledger.stream_events(&id.clone().into()).await?;
            if !events.is_empty() {
                let run = Run::fold(&events)?;
                if run.subject() != &subject {
                    return Err(PromoteError::RunTaken(id.clone()));
                }
                return Ok(found(run, observer));
            }
        }
        // Twice at most: the loser of a race finds the winner's run.
        for _ in 0..2 {
            let events = self.ports.ledger.latest_run(&subject).await?;
            let latest = if events.is_empty() { None } else { Some(Run::fold(&events)?) };
            let over = |phase| matches!(phase, Phase::Failed | Phase::Abandoned | Phase::RolledBack);
            if let Some(run) = latest.as_ref().filter(|run| !over(run.phase())) {
                return Ok(found(run.clone(), observer));
            }
            let before = latest.as_ref().and_then(rolled_back_before);
            let event =
                self.proposal(change, run_id.cloned(), Origin { rolled_back_before: before, ..Origin::default() });
            match self.ports.ledger.propose(&event, latest.map(|run| run.id().clone())).await {
                Ok(recorded) => {
                    let run = Run::fold(std::slice::from_ref(&recorded))?;
                    observer.on(&Step::Began { run: run.id().clone() });
                    return Ok(Begun::Open(Box::new(run)));
                }
                Err(LedgerError::RunExists { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(PromoteError::Contended(run_id.cloned().unwrap_or_else(|| self.ports.ids.run_id())))
    }

    /// Begins the run of a rollback, whose id the run that it takes back has named. May be repeated.
    pub(crate) async fn propose_rollback(
        &self,
        change: &ChangeSet,
        target: &RunId,
        rollback_run: &RunId,
        made_on: &CommitSha,
    ) -> Result<RecordedEvent, PromoteError> {
        let origin =
            Origin { rollback_of: Some(target.clone()), made_on: Some(made_on.clone()), rolled_back_before: None };
        let event = self.proposal(change, Some(rollback_run.clone()), origin);
        let latest = self.ports.ledger.latest_run(&self.subject(change)).await?;
        let after = if latest.is_empty() { None } else { Some(Run::fold(&latest)?.id().clone()) };
        Ok(self.ports.ledger.propose(&event, after).await?)
    }

    fn proposal(&self, change: &ChangeSet, run_id: Option<RunId>, origin: Origin) -> Event {
        let run = run_id.unwrap_or_else(|| self.ports.ids.run_id());
        let subject = self.subject(change);
        let proposed = Proposed {
            message: plain(change.message()),
            files: change.files().iter().map(|(path, change)| summary(path, change)).collect(),
            branch: BranchName::for_change(change.context(), &subject.fingerprint, &subject.base),
            rollback_of: origin.rollback_of,
            made_on: origin.made_on,
            rolled_back_before: origin.rolled_back_before,
        };
        let mut context = change.context().clone();
        context.actor_source = Some(context.actor());
        Event {
            id: self.ports.ids.event_id(),
            correlation_id: CorrelationId::from(&run),
            stream: run.into(),
            actor_source: context.actor(),
            context: Some(context),
            subject: Some(subject),
            pull_request: None,
            body: proposed.into(),
        }
    }
}

/// What a run comes from, beside its change set.
#[derive(Default)]
struct Origin {
    rollback_of: Option<RunId>,
    made_on: Option<CommitSha>,
    rolled_back_before: Option<RunId>,
}

/// The run in which the content of a run that is over was rolled back: itself, or the one that it comes after. That an operator let
/// that one land again does not count for the next.
fn rolled_back_before(latest: &Run) -> Option<RunId> {
    if latest.phase() == Phase::RolledBack {
        return Some(latest.id().clone());
    }
    latest.comes_after_rollback_of().cloned()
}

fn found(run: Run, observer: &dyn Observer) -> Begun {
    if !run.phase().is_open()
        && let Some(outcome) = Outcome::of(&run, true)
    {
        return Begun::Over(outcome);
    }
    observer.on(&Step::Resumed { run: run.id().clone() });
    Begun::Open(Box::new(run))
}

fn summary(path: &selfext_domain::RepoPath, change: &FileChange) -> FileSummary {
    let (action, bytes, sha256) = match change {
        FileChange::Write { content, .. } => {
            (FileAction::Write, Some(content.len() as u64), Some(Digest32::of(content)))
        }
        FileChange::Delete => (FileAction::Delete, None, None),
    };
    FileSummary { path: path.clone(), action, bytes, sha256 }
}
