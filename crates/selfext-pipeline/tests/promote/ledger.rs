//! A ledger and a control in memory, with the rules of the real ones and a fault to inject.

use std::sync::Mutex;

use async_trait::async_trait;
use chrono::{DateTime, Duration, Utc};
use selfext_domain::ports::{
    Clock, ControlError, Follower, Ledger, LedgerError, MergeGrant, PauseAnswer, PauseRequest, PromotionControl,
    ResumeAnswer, ResumeRequest,
};
use selfext_domain::*;

use crate::landed::Landed;

#[derive(Default)]
struct State {
    events: Vec<RecordedEvent>,
    control: Option<Pause>,
    writes: u64,
    /// How much later it is than at the beginning, in seconds.
    late: i64,
    /// How many events there were at the last resume.
    resumed_after: usize,
    /// Why no permit is granted, if none is.
    refusing: Option<Reason>,
    /// The number of the write that fails, and whether it is recorded all the same.
    fault: Option<(u64, bool)>,
}

/// A ledger in memory.
#[derive(Default)]
pub struct MemoryLedger {
    state: Mutex<State>,
}

pub fn time() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}

impl State {
    fn stream(&self, stream: &StreamId) -> Vec<RecordedEvent> {
        self.events.iter().filter(|event| event.event.stream == *stream).cloned().collect()
    }

    fn runs(&self) -> Vec<Run> {
        let begun = self.events.iter().filter(|event| matches!(event.event.body, EventBody::Proposed(_)));
        begun.map(|event| Run::fold(&self.stream(&event.event.stream)).unwrap()).collect()
    }

    fn write(&mut self, event: &Event, after: Tip) -> Result<RecordedEvent, LedgerError> {
        self.writes += 1;
        let fault = self.fault.filter(|(number, _)| *number == self.writes);
        if let Some((_, false)) = fault {
            return Err(LedgerError::unavailable("the connection was cut before the write"));
        }
        if let Some(known) = self.events.iter().find(|known| known.event.id == event.id) {
            return if known.event == *event { Ok(known.clone()) } else { Err(LedgerError::IdReused(event.id)) };
        }
        let stream = self.stream(&event.stream);
        let last = stream.last().map_or(Tip::START, |event| Tip { sequence: event.sequence, hash: event.link.hash });
        if after != last {
            let (expected, actual) = (after.sequence + 1, last.sequence);
            return Err(LedgerError::Conflict { stream: event.stream.clone(), expected, actual });
        }
        let id = self.events.len() as u64 + 1;
        let position = Position { transaction: id, id };
        let recorded =
            RecordedEvent::new(event.clone(), last.sequence + 1, last.hash, position, self.now(), "memory".into())
                .unwrap();
        self.events.push(recorded.clone());
        if fault.is_some() {
            return Err(LedgerError::unavailable("the connection was cut after the write"));
        }
        Ok(recorded)
    }

    fn now(&self) -> DateTime<Utc> {
        time() + Duration::seconds(self.late)
    }

    fn paused(&self, run: &RunId) -> Option<Refusal> {
        let control = self.control.clone().map_or(ControlState::Running, ControlState::Paused);
        let is_rollback = Landed::of(&self.events).rollback(run).is_some();
        guard_pause(Ok(&control), is_rollback).err()
    }
}

impl MemoryLedger {
    /// The `number`-th write from the beginning fails; `recorded` says whether its event is there all the same.
    pub fn fail_write(&self, number: u64, recorded: bool) {
        self.state.lock().unwrap().fault = Some((number, recorded));
    }

    /// Lets time pass.
    pub fn pass(&self, seconds: i64) {
        self.state.lock().unwrap().late += seconds;
    }

    pub fn types(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        state.events.iter().map(|event| event.event.body.event_type().to_owned()).collect()
    }

    /// The terms of all permits that were ever granted, in their order.
    pub fn permits(&self) -> Vec<PermitTerms> {
        self.state.lock().unwrap().events.iter().filter_map(PermitTerms::of).collect()
    }

    pub fn runs(&self) -> Vec<Run> {
        self.state.lock().unwrap().runs()
    }

    /// An event that another process writes.
    pub fn write_as_other(&self, run: &Run, body: EventBody) {
        let mut state = self.state.lock().unwrap();
        let id = EventId::from_uuid(uuid::Uuid::from_u128(u128::MAX - state.events.len() as u128));
        let mut event = run.next_event(id, body).unwrap();
        event.pull_request = Some(PullRequestNumber::new(12).unwrap());
        state.write(&event, run.tip()).unwrap();
    }

    pub fn pause(&self, reason: &str) {
        let pause = Pause {
            by: OperatorName::parse("ops").unwrap(),
            reason: reason.into(),
            allow_rollbacks: false,
            since: time(),
        };
        self.state.lock().unwrap().control = Some(pause);
    }

    pub fn resume(&self) {
        let mut state = self.state.lock().unwrap();
        state.control = None;
        state.resumed_after = state.events.len();
    }

    /// Who paused promotion, if it is paused.
    pub fn paused_by(&self) -> Option<OperatorName> {
        self.state.lock().unwrap().control.as_ref().map(|pause| pause.by.clone())
    }

    /// Every merge is refused from now on, or none.
    pub fn refuse_merges(&self, refusing: Option<Reason>) {
        self.state.lock().unwrap().refusing = refusing;
    }

    /// How late it is, by the clock of what is recorded.
    pub fn now(&self) -> DateTime<Utc> {
        self.state.lock().unwrap().now()
    }
}

/// The time of what is recorded. Whoever sleeps lets it pass.
#[async_trait]
impl Clock for MemoryLedger {
    fn now(&self) -> DateTime<Utc> {
        Self::now(self)
    }

    async fn sleep(&self, duration: std::time::Duration) {
        self.pass(i64::try_from(duration.as_secs()).unwrap());
    }
}

#[async_trait]
impl Ledger for MemoryLedger {
    async fn append(&self, event: &Event, after: Tip) -> Result<RecordedEvent, LedgerError> {
        self.state.lock().unwrap().write(event, after)
    }

    async fn append_all(&self, events: &[Event], mut after: Tip) -> Result<Vec<RecordedEvent>, LedgerError> {
        let mut state = self.state.lock().unwrap();
        let before = state.events.len();
        let mut recorded = Vec::new();
        for event in events {
            match state.write(event, after) {
                Ok(next) => {
                    after = Tip { sequence: next.sequence, hash: next.link.hash };
                    recorded.push(next);
                }
                Err(error) => {
                    state.events.truncate(before);
                    return Err(error);
                }
            }
        }
        Ok(recorded)
    }

    async fn propose(&self, event: &Event, after: Option<RunId>) -> Result<RecordedEvent, LedgerError> {
        let mut state = self.state.lock().unwrap();
        let latest = state
            .runs()
            .into_iter()
            .rfind(|run| Some(run.subject()) == event.subject.as_ref())
            .map(|run| run.id().clone());
        if latest != after {
            return Err(LedgerError::RunExists { run: latest.unwrap() });
        }
        state.write(event, Tip::START)
    }

    async fn stream_events(&self, stream: &StreamId) -> Result<Vec<RecordedEvent>, LedgerError> {
        Ok(self.state.lock().unwrap().stream(stream))
    }

    async fn latest_run(&self, subject: &Subject) -> Result<Vec<RecordedEvent>, LedgerError> {
        let state = self.state.lock().unwrap();
        let latest = state.runs().into_iter().rfind(|run| run.subject() == subject);
        Ok(latest.map(|run| state.stream(&run.id().clone().into())).unwrap_or_default())
    }

    async fn begin_merge(&self, event: &Event, after: Tip) -> Result<MergeGrant, LedgerError> {
        let mut state = self.state.lock().unwrap();
        let id = event.stream.run().unwrap();
        let taken_over = state.runs().iter().any(|run| run.id() == id && run.permit().is_some());
        let waits = if taken_over { None } else { Landed::of(&state.events).refusal(id) };
        if let Some(refusal) = state.paused(id).or(waits) {
            return Ok(MergeGrant::Refused(refusal));
        }
        if let Some(reason) = state.refusing {
            return Ok(MergeGrant::Refused(Refusal::new(Stage::PromotionMerge, reason, "a test says so")));
        }
        let recorded = state.write(event, after)?;
        let run = Run::fold(&state.stream(&event.stream)).unwrap();
        Ok(MergeGrant::Granted(permit(&run).unwrap(), Box::new(recorded)))
    }

    async fn reopen_merge(&self, run: &RunId, own: EventId) -> Result<MergeGrant, LedgerError> {
        let state = self.state.lock().unwrap();
        let events = state.stream(&run.clone().into());
        let run = Run::fold(&events).unwrap();
        let open = |permit: &MergePermit| run.phase() == Phase::Merging && permit.terms().id == own;
        let Some(permit) = permit(&run).filter(open) else {
            return Err(LedgerError::PermitClosed { run: run.id().clone() });
        };
        match state.paused(run.id()) {
            Some(refusal) => Ok(MergeGrant::Refused(refusal)),
            None => Ok(MergeGrant::Granted(permit, Box::new(events.last().unwrap().clone()))),
        }
    }

    async fn time(&self) -> Result<DateTime<Utc>, LedgerError> {
        Ok(self.state.lock().unwrap().now())
    }

    async fn open_permits(&self) -> Result<Vec<PermitTerms>, LedgerError> {
        Ok(self.runs().iter().filter_map(|run| run.permit().cloned()).collect())
    }

    async fn open_runs(&self) -> Result<Vec<RunId>, LedgerError> {
        Ok(self.runs().iter().filter(|run| run.phase().is_open()).map(|run| run.id().clone()).collect())
    }

    async fn health_standing(
        &self,
        repository: &RepositoryName,
        base: &BranchName,
        within: std::time::Duration,
    ) -> Result<HealthStanding, LedgerError> {
        let state = self.state.lock().unwrap();
        let now = state.now();
        let ended =
            |event: &&RecordedEvent| ["rolled_back", "rollback_failed"].contains(&event.event.body.event_type());
        let rollbacks = state.events[state.resumed_after..].iter().filter(ended).count() as u64;
        Ok(HealthStanding { rollbacks, ..Landed::of(&state.events).standing(repository, base, now, within) })
    }

    async fn read_after(&self, _position: Position, _limit: u32) -> Result<Vec<RecordedEvent>, LedgerError> {
        unreachable!("the pipeline does not follow")
    }

    fn follow(&self, _after: Position) -> Box<dyn Follower> {
        unreachable!("the pipeline does not follow")
    }
}

#[expect(clippy::disallowed_methods, reason = "this ledger stands for an adapter")]
fn permit(run: &Run) -> Option<MergePermit> {
    run.permit().cloned().map(MergePermit::from_ledger)
}

#[async_trait]
impl PromotionControl for MemoryLedger {
    async fn read(&self) -> Result<ControlState, ControlError> {
        Ok(self.state.lock().unwrap().control.clone().map_or(ControlState::Running, ControlState::Paused))
    }

    async fn pause(&self, request: &PauseRequest) -> Result<PauseAnswer, ControlError> {
        let mut state = self.state.lock().unwrap();
        let body = PromotionPauseChanged {
            paused: true,
            by: request.by.clone(),
            reason: Some(request.reason.clone()),
            allow_rollbacks: request.allow_rollbacks,
            os_user: None,
        };
        let event = Event {
            id: request.event,
            stream: StreamId::Control,
            correlation_id: CorrelationId::parse("control").unwrap(),
            actor_source: ActorSource::operator(),
            context: None,
            subject: None,
            pull_request: None,
            body: body.into(),
        };
        let control = state.stream(&StreamId::Control);
        let last = control.last().map_or(Tip::START, |last| Tip { sequence: last.sequence, hash: last.link.hash });
        let event = state.write(&event, last).map_err(ControlError::unavailable)?;
        let since = time() + Duration::seconds(0);
        state.control = Some(Pause {
            by: request.by.clone(),
            reason: request.reason.clone(),
            allow_rollbacks: request.allow_rollbacks,
            since,
        });
        let in_flight = state.runs().iter().filter_map(|run| run.permit().cloned()).collect();
        Ok(PauseAnswer { event, in_flight, still_paused: true, history: None })
    }

    async fn resume(&self, _request: &ResumeRequest) -> Result<ResumeAnswer, ControlError> {
        unreachable!("the pipeline never resumes")
    }
}
