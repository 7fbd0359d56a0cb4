//! Finding the run of a change set, or beginning one.

use selfext_domain::ports::LedgerError;
use selfext_domain::{
    BranchName, ChangeSet, CorrelationId, Digest32, Event, FileAction, FileChange, FileSummary, Phase, Proposed, Run,
    RunId, plain,
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
            if let Some(run) = latest.as_ref().filter(|run| !matches!(run.phase(), Phase::Failed | Phase::Abandoned)) {
                return Ok(found(run.clone(), observer));
            }
            let event = self.proposal(change, run_id.cloned());
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

    fn proposal(&self, change: &ChangeSet, run_id: Option<RunId>) -> Event {
        let run = run_id.unwrap_or_else(|| self.ports.ids.run_id());
        let subject = self.subject(change);
        let proposed = Proposed {
            message: plain(change.message()),
            files: change.files().iter().map(|(path, change)| summary(path, change)).collect(),
            branch: BranchName::for_change(change.context(), &subject.fingerprint, &subject.base),
            rollback_of: None,
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
