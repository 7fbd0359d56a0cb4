//! A run for the cases: its events, each with a fresh id.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use selfext_domain::ports::{Ledger, LedgerError, MergeGrant};
use selfext_domain::{
    BranchName, CommitSha, CorrelationId, Digest32, Event, EventBody, EventId, ExecutionContext, Failed, Fingerprint,
    GoalId, MergeFenced, MergeMethod, MergePermit, MergeStarted, MergeWay, OperatorName, Promoted, PromotionBlocked,
    Proposed, PullRequestNumber, Reason, RecordedEvent, Refusal, RepositoryName, RunAbandoned, RunId, Stage, StreamId,
    Subject, Tested, Tip, ToolCallId, ToolName, TreeSha,
};
use uuid::Uuid;

/// An event id that no other event of this process has.
#[must_use]
pub fn fresh_id() -> EventId {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    EventId::from_uuid(Uuid::from_u64_pair(0x0198_f1d2_7b3c_7a00, NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// A run of one change set. Its name is its run id, and what is in its change set.
#[derive(Clone, Debug)]
pub struct Story {
    /// The run.
    pub run: RunId,
    /// What it is about.
    pub subject: Subject,
    /// Its pull request.
    pub pull_request: PullRequestNumber,
    /// The tool that made its change.
    pub tool: ToolName,
    /// The goal that it serves.
    pub goal: Option<GoalId>,
    /// The run that it says to take back.
    pub rollback_of: Option<RunId>,
}

impl Story {
    /// A run into the branch `main` of `acme/agent`.
    ///
    /// # Panics
    /// If the name is no legal run id.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let pull_request = name.bytes().fold(7, |number: u64, byte| (number * 31 + u64::from(byte)) % 1_000_003);
        Self {
            run: RunId::parse(name).expect("the name is a run id"),
            subject: Subject {
                repository: RepositoryName::parse("acme/agent").expect("a repository"),
                base: BranchName::parse("main").expect("a branch"),
                fingerprint: Fingerprint::from_bytes(*Digest32::of(name.as_bytes()).as_bytes()),
            },
            pull_request: PullRequestNumber::new(pull_request + 1).expect("a number"),
            tool: ToolName::parse("write-file").expect("a tool"),
            goal: None,
            rollback_of: None,
        }
    }

    /// The same for a goal.
    ///
    /// # Panics
    /// If the goal is not legal.
    #[must_use]
    pub fn for_goal(mut self, goal: &str) -> Self {
        self.goal = Some(GoalId::parse(goal).expect("a goal"));
        self
    }

    /// The same by another tool.
    ///
    /// # Panics
    /// If the tool is not legal.
    #[must_use]
    pub fn by_tool(mut self, tool: &str) -> Self {
        self.tool = ToolName::parse(tool).expect("a tool");
        self
    }

    /// The same into another branch.
    ///
    /// # Panics
    /// If the name is no legal branch.
    #[must_use]
    pub fn into_base(mut self, base: &str) -> Self {
        self.subject.base = BranchName::parse(base).expect("a branch");
        self
    }

    /// The same in another repository.
    ///
    /// # Panics
    /// If the name is no legal repository.
    #[must_use]
    pub fn in_repository(mut self, repository: &str) -> Self {
        self.subject.repository = RepositoryName::parse(repository).expect("a repository");
        self
    }

    /// The same change set in another run.
    ///
    /// # Panics
    /// If the name is no legal run id.
    #[must_use]
    pub fn again(&self, name: &str) -> Self {
        Self { run: RunId::parse(name).expect("the name is a run id"), ..self.clone() }
    }

    /// An event of the run.
    ///
    /// # Panics
    /// Never: the values in it are legal.
    #[must_use]
    pub fn event(&self, body: impl Into<EventBody>) -> Event {
        let mut context = ExecutionContext::new(self.tool.clone());
        context.goal_id.clone_from(&self.goal);
        // Stored or not, an event names its actor.
        context.actor_source = Some(context.actor());
        context.tool_call_id = Some(ToolCallId::parse("call 1").expect("a call"));
        Event {
            id: fresh_id(),
            stream: self.run.clone().into(),
            correlation_id: CorrelationId::from(&self.run),
            actor_source: context.actor(),
            context: Some(context),
            subject: Some(self.subject.clone()),
            pull_request: None,
            body: body.into(),
        }
    }

    /// `proposed`
    #[must_use]
    pub fn proposed(&self) -> Event {
        self.proposed_with("make it faster")
    }

    /// `proposed`, with a message.
    #[must_use]
    pub fn proposed_with(&self, message: &str) -> Event {
        self.event(Proposed {
            message: message.to_owned(),
            files: Vec::new(),
            branch: branch(),
            rollback_of: self.rollback_of.clone(),
            made_on: None,
            rolled_back_before: None,
        })
    }

    /// `tested`
    #[must_use]
    pub fn tested(&self) -> Event {
        self.event(Tested {
            base_commit: commit('a'),
            tree: tree(),
            branch: branch(),
            title: "make it faster".to_owned(),
            rules_sha256: Digest32::of(b"rules"),
            stages: Vec::new(),
            attempt: 1,
            holder: "a test".into(),
        })
    }

    /// `promotion_blocked`
    #[must_use]
    pub fn blocked(&self) -> Event {
        self.event(PromotionBlocked { refusal: refusal(Reason::ChecksPending) })
    }

    /// `failed`
    #[must_use]
    pub fn failed(&self) -> Event {
        self.event(Failed { refusal: refusal(Reason::HeadMoved), stages: Vec::new() })
    }

    /// `run_abandoned`
    #[must_use]
    pub fn abandoned(&self) -> Event {
        self.abandoned_because("not needed")
    }

    /// `run_abandoned`, with a reason.
    #[must_use]
    pub fn abandoned_because(&self, reason: &str) -> Event {
        self.event(RunAbandoned { by: operator("ops"), reason: Some(reason.to_owned()) })
    }

    /// `promoted`
    #[must_use]
    pub fn promoted(&self) -> Event {
        self.event(Promoted {
            commit: commit('c'),
            tree: tree(),
            tree_matches: true,
            checked_in_queue: false,
            health: None,
        })
    }

    /// `merge_started`
    #[must_use]
    pub fn merge_started(&self) -> Event {
        self.merge_started_by("host 1, process 2")
    }

    /// `merge_started`, by another holder.
    #[must_use]
    pub fn merge_started_by(&self, holder: &str) -> Event {
        let mut event = self.event(MergeStarted {
            head: commit('b'),
            base_commit: commit('a'),
            tree: tree(),
            branch: branch(),
            method: MergeMethod::Squash,
            way: MergeWay::Direct,
            message: "make it faster\n\nMeasured.".to_owned(),
            permit_status: false,
            health: None,
            holder: holder.to_owned(),
            deadline_seconds: 120,
        });
        event.pull_request = Some(self.pull_request);
        event
    }

    /// `merge_fenced`
    #[must_use]
    pub fn fenced(&self, permit: EventId) -> Event {
        self.event(MergeFenced { permit, head: commit('b'), detail: "the answer was lost".to_owned() })
    }

    /// Writes `proposed` and `tested`.
    ///
    /// # Panics
    /// If the ledger refuses.
    pub async fn begin(&self, ledger: &Arc<dyn Ledger>) {
        ledger.propose(&self.proposed(), None).await.expect("the run begins");
        append(ledger, &self.tested(), 2).await.expect("the run goes on");
    }

    /// Writes `proposed` and `tested` and asks for the permit.
    ///
    /// # Panics
    /// If the ledger refuses.
    pub async fn begin_merging(&self, ledger: &Arc<dyn Ledger>) -> (MergePermit, RecordedEvent) {
        self.begin(ledger).await;
        let grant = begin_merge(ledger, &self.merge_started(), 3).await.expect("the ledger answers");
        granted(grant)
    }
}

/// Where a stream ends for a writer that has read it up to before the event `number`. Past its end it is made up.
///
/// # Panics
/// If the ledger cannot be read.
pub async fn before(ledger: &Arc<dyn Ledger>, stream: &StreamId, number: u64) -> Tip {
    let events = ledger.stream_events(stream).await.expect("the stream is read");
    let sequence = number - 1;
    let found = events.iter().find(|event| event.sequence == sequence);
    let hash = found.map_or_else(|| Digest32::of(b"nobody knows"), |event| event.link.hash);
    if sequence == 0 { Tip::START } else { Tip { sequence, hash } }
}

/// [`Ledger::append`] as number `number` of the stream.
///
/// # Errors
/// Those of the ledger.
pub async fn append(ledger: &Arc<dyn Ledger>, event: &Event, number: u64) -> Result<RecordedEvent, LedgerError> {
    ledger.append(event, before(ledger, &event.stream, number).await).await
}

/// [`Ledger::begin_merge`] as number `number` of the stream.
///
/// # Errors
/// Those of the ledger.
pub async fn begin_merge(ledger: &Arc<dyn Ledger>, event: &Event, number: u64) -> Result<MergeGrant, LedgerError> {
    ledger.begin_merge(event, before(ledger, &event.stream, number).await).await
}

/// The permit of a grant.
///
/// # Panics
/// If it is a refusal.
pub fn granted(grant: MergeGrant) -> (MergePermit, RecordedEvent) {
    match grant {
        MergeGrant::Granted(permit, event) => (permit, *event),
        MergeGrant::Refused(refusal) => panic!("refused: {refusal}"),
    }
}

/// The refusal of a grant.
///
/// # Panics
/// If it is a permit.
#[must_use]
pub fn refused(grant: MergeGrant) -> Refusal {
    match grant {
        MergeGrant::Refused(refusal) => refusal,
        MergeGrant::Granted(permit, _) => panic!("granted: {:?}", permit.terms()),
    }
}

/// An operator's name.
///
/// # Panics
/// If it is not legal.
#[must_use]
pub fn operator(name: &str) -> OperatorName {
    OperatorName::parse(name).expect("an operator's name")
}

pub(super) fn refusal(reason: Reason) -> Refusal {
    Refusal::new(Stage::PromotionGate, reason, "waited too long")
}

pub(super) fn branch() -> BranchName {
    BranchName::parse("selfext/write-file/0123456789abcdef").expect("a branch")
}

pub(super) fn commit(digit: char) -> CommitSha {
    CommitSha::parse(digit.to_string().repeat(40)).expect("a commit")
}

pub(super) fn tree() -> TreeSha {
    TreeSha::parse("d".repeat(40)).expect("a tree")
}
