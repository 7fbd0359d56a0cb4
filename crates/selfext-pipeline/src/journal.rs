//! A run under way: its fold, and the one place that writes its events.

use selfext_domain::ports::{Ledger, LedgerError, Published};
use selfext_domain::{
    Disposition, EventBody, Failed, PromotionBlocked, PullRequestNumber, RecordedEvent, Refusal, Run, RunId,
    StageReport, Tested,
};

use crate::pipeline::Ports;
use crate::{Ending, Outcome, PromoteError};

/// Why the driver of a run stops.
pub(crate) enum Stop {
    /// It is known how the run stands.
    Ended(Box<Outcome>),
    /// Another process wrote to the run: follow it.
    Overtaken,
    /// The run is to be driven anew from what the ledger says now.
    Again,
    /// It cannot go on.
    Error(PromoteError),
}

impl<E: Into<PromoteError>> From<E> for Stop {
    fn from(error: E) -> Self {
        match error.into() {
            PromoteError::Ledger(
                LedgerError::Conflict { .. } | LedgerError::Diverged { .. } | LedgerError::PermitClosed { .. },
            ) => Self::Overtaken,
            error => Self::Error(error),
        }
    }
}

/// A run under way. Every event is checked by the fold before it is written, and applied to it afterwards.
pub(crate) struct Journal<'a> {
    ports: &'a Ports,
    run: Run,
    published: Option<Published>,
    claimed: bool,
}

impl<'a> Journal<'a> {
    pub(crate) const fn new(ports: &'a Ports, run: Run) -> Self {
        Self { ports, run, published: None, claimed: false }
    }

    /// Reads a run anew.
    pub(crate) async fn open(ports: &'a Ports, run: &RunId) -> Result<Self, PromoteError> {
        let events = ports.ledger.stream_events(&run.clone().into()).await?;
        if events.is_empty() {
            return Err(PromoteError::NoRun(run.clone()));
        }
        Ok(Self::new(ports, Run::fold(&events)?))
    }

    pub(crate) fn into_run(self) -> Run {
        self.run
    }

    pub(crate) const fn run(&self) -> &Run {
        &self.run
    }

    pub(crate) fn ledger(&self) -> &dyn Ledger {
        self.ports.ledger.as_ref()
    }

    /// Whether this drive wrote the `tested` event from which it goes on.
    pub(crate) const fn is_claimed(&self) -> bool {
        self.claimed
    }

    /// Writes that the change passed, which makes this process the one that publishes and merges it.
    pub(crate) async fn claim(&mut self, tested: Tested) -> Result<(), Stop> {
        let known = self.published.as_ref().map(|published| published.pull_request);
        self.record(tested, known).await?;
        self.claimed = true;
        Ok(())
    }

    /// Remembers what was published.
    pub(crate) fn saw(&mut self, published: Published) {
        self.published = Some(published);
    }

    /// Writes the next event. When it returns, the event is durable.
    pub(crate) async fn record(
        &mut self,
        body: impl Into<EventBody>,
        pull_request: Option<PullRequestNumber>,
    ) -> Result<(), Stop> {
        let mut event = self.run.next_event(self.ports.ids.event_id(), body.into())?;
        event.pull_request = pull_request.or(event.pull_request);
        let recorded = self.ports.ledger.append(&event, self.run.tip()).await?;
        self.took(&recorded)
    }

    /// Applies an event that the ledger recorded by another way.
    pub(crate) fn took(&mut self, recorded: &RecordedEvent) -> Result<(), Stop> {
        Ok(self.run.apply(recorded)?)
    }

    /// Writes a refusal as `promotion_blocked` or `failed`, as its reason says, and ends the call with it.
    pub(crate) async fn refuse(
        &mut self,
        refusal: Refusal,
        pull_request: Option<PullRequestNumber>,
    ) -> Result<Stop, Stop> {
        let ending = match refusal.disposition() {
            Disposition::MayResume => {
                self.record(PromotionBlocked { refusal: refusal.clone() }, pull_request).await?;
                Ending::Blocked(refusal)
            }
            Disposition::Ends => {
                self.record(Failed { refusal: refusal.clone(), stages: Vec::new() }, pull_request).await?;
                Ending::Failed(refusal)
            }
        };
        Ok(self.end(ending))
    }

    /// Writes that verification failed, with its reports, and ends the call with it.
    pub(crate) async fn fail_verification(&mut self, refusal: Refusal, stages: Vec<StageReport>) -> Result<Stop, Stop> {
        self.record(Failed { refusal: refusal.clone(), stages: stages.clone() }, None).await?;
        Ok(self.end(Ending::VerificationFailed { refusal, stages }))
    }

    pub(crate) fn end(&self, ending: Ending) -> Stop {
        let url = self.published.as_ref().map(|published| published.url.clone());
        Stop::Ended(Box::new(Outcome::new(&self.run, ending, url)))
    }
}
