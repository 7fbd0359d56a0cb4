//! A world in which a promotion goes well, and the ways to spoil it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use selfext_domain::ports::{
    BranchSince, Clock, LandedCommit, MergeAnswer, MockClock, MockForge, MockIdSource, MockVerifier, Published,
    PullRequest, PullRequestState, Retired, Survey,
};
use selfext_domain::*;
use selfext_pipeline::{Outcome, Pipeline, PipelineConfig, Ports, PromoteError, Silent};
use uuid::Uuid;

use crate::ledger::{MemoryLedger, time};

pub const RULES: &str = "version = 1\n[gate]\nrequired = [\"ci\"]\nwait_seconds = 60\n[merge]\nmax_base_moves = 2\n\
                         [[verification.stage]]\nname = \"test\"\ncommand = [\"true\"]\n";

pub fn commit(digit: char) -> CommitSha {
    CommitSha::parse(digit.to_string().repeat(40)).unwrap()
}

pub fn tree(digit: char) -> TreeSha {
    TreeSha::parse(digit.to_string().repeat(40)).unwrap()
}

pub fn base() -> CommitSha {
    commit('a')
}

pub fn head() -> CommitSha {
    commit('c')
}

pub fn landed() -> CommitSha {
    commit('d')
}

pub fn number() -> PullRequestNumber {
    PullRequestNumber::new(12).unwrap()
}

pub fn change() -> ChangeSet {
    let context = ExecutionContext::new(ToolName::parse("write").unwrap());
    ChangeSet::builder("Say why", context).write(RepoPath::parse("src/a.rs").unwrap(), "new").build().unwrap()
}

pub fn stage(result: StageResult) -> StageReport {
    let cap = TextCap { max_bytes: 100, keep: Keep::Tail };
    StageReport {
        name: "test".into(),
        kind: StageKind::Test,
        command: vec!["true".into()],
        result,
        category: Some(Category::of(StageKind::Test, result)),
        duration_ms: 5,
        output_bytes: 2,
        output: RedactedText::from_text("ok", cap),
        must_match: None,
        prepared: None,
        walls: Vec::new(),
    }
}

pub fn candidate(on: &CommitSha) -> Candidate {
    let write = EntryChange::Write { content: Arc::from(&b"new"[..]), executable: false };
    Candidate {
        base: on.clone(),
        base_tree: tree('1'),
        tree: tree('2'),
        entries: vec![(RepoPath::parse("src/a.rs").unwrap(), write)],
        links: BaseLinks::default(),
        irreversible: Vec::new(),
    }
}

pub fn green() -> GateReading {
    GateReading {
        statuses: vec![CommitStatus { id: 1, context: "ci".into(), creator: None, state: StatusState::Success }],
        check_runs: vec![],
    }
}

pub fn request(state: PullRequestState) -> PullRequest {
    PullRequest {
        number: number(),
        url: "http://forge/12".into(),
        author: None,
        state,
        head: head(),
        branch: BranchName::parse("selfext/write/x").unwrap(),
        base: BranchName::parse("main").unwrap(),
        mergeable: Some(true),
        draft: false,
        blocked: false,
    }
}

pub fn survey(gate: GateReading) -> Survey {
    let pull_request = request(PullRequestState::Open);
    Survey { pull_request, base_head: base(), gate, rules: BranchRules::default(), reviews: Vec::new() }
}

/// A commit on the base, behind the verified one.
pub fn landed_commit(tree_digit: char, message: &str) -> LandedCommit {
    LandedCommit { sha: landed(), tree: tree(tree_digit), parents: vec![base()], message: message.into() }
}

/// A base that holds these commits since the change was verified on it.
pub fn since(commits: Vec<LandedCommit>) -> BranchSince {
    BranchSince { commits, rewound: false }
}

pub struct World {
    pub ledger: Arc<MemoryLedger>,
    pub forge: MockForge,
    pub verifier: MockVerifier,
    pub clock: MockClock,
    /// The commits on which evidence was shown.
    pub shown: Arc<Mutex<Vec<CommitSha>>>,
}

impl World {
    /// Mocks that expect nothing: every call that a test does not allow is a failure.
    pub fn bare() -> Self {
        Self {
            ledger: Arc::default(),
            forge: MockForge::new(),
            verifier: MockVerifier::new(),
            clock: MockClock::new(),
            shown: Arc::default(),
        }
    }

    /// Everything up to the gate goes well, any number of times.
    pub fn publishing() -> Self {
        Self::publishing_by(RULES)
    }

    /// The same by other rules.
    pub fn publishing_by(rules: &str) -> Self {
        let mut world = Self::verifying_by(rules, vec![stage(StageResult::Passed)]);
        world
            .forge
            .expect_publish()
            .returning(|_| Ok(Published { pull_request: number(), url: "http://forge/12".into(), head: head() }));
        let shown = world.shown.clone();
        world.forge.expect_show_evidence().returning(move |at, evidence| {
            assert!(evidence.passed);
            shown.lock().unwrap().push(at.clone());
            Ok(())
        });
        world
    }

    /// The base can be read and the stages end like this.
    pub fn verifying(reports: Vec<StageReport>) -> Self {
        Self::verifying_by(RULES, reports)
    }

    fn verifying_by(rules: &str, reports: Vec<StageReport>) -> Self {
        let rules = rules.to_owned();
        let mut world = Self::bare();
        world.forge.expect_branch_head().returning(|_| Ok(base()));
        world.forge.expect_find_published().returning(|_, _| Ok(None));
        world.verifier.expect_read_file().returning(move |_, _, _| Ok(Some(rules.clone().into())));
        world.verifier.expect_prepare().returning(|_, on, _| Ok(candidate(on)));
        world.verifier.expect_run_stages().returning(move |_, _, _| Ok(reports.clone()));
        world.clock.expect_now().returning(time);
        world
    }

    /// Everything up to the merge goes well.
    pub fn gated() -> Self {
        let mut world = Self::publishing();
        world.forge.expect_survey().returning(|_, _, _, _| Ok(survey(green())));
        world
    }

    /// What landed is what was tested.
    pub fn landing(mut self) -> Self {
        self.forge.expect_commit().returning(|_| Ok(landed_commit('2', "")));
        self.forge.expect_delete_branch().returning(|_| Ok(()));
        self.forge.expect_park_branch().returning(|_, _| Ok(()));
        self
    }

    pub fn merging(mut self) -> Self {
        self.forge.expect_merge().times(1).returning(|_| MergeAnswer::Merged { commit: landed() });
        self.landing()
    }

    /// The base stays where it was.
    pub fn still(mut self) -> Self {
        self.forge.expect_branch_since().returning(|_, _| Ok(since(vec![])));
        self
    }

    /// The forge shows that the merge has not happened, and that the base is where it was.
    pub fn unmerged(mut self) -> Self {
        self.forge.expect_pull_request().returning(|_| Ok(request(PullRequestState::Open)));
        self.still()
    }

    /// Closing and deleting what a run that is over left is allowed.
    pub fn retiring(mut self) -> Self {
        self.forge.expect_close_pull_request().returning(|_| Ok(()));
        self.forge.expect_delete_branch().returning(|_| Ok(()));
        self.forge.expect_retire_branch().returning(|_| Ok(Retired::Gone));
        self
    }

    pub fn pipeline(mut self) -> Pipeline {
        let clock = std::mem::take(&mut self.clock);
        self.pipeline_by(Arc::new(clock))
    }

    /// The same, by another clock than the mocked one.
    pub fn pipeline_by(self, clock: Arc<dyn Clock>) -> Pipeline {
        let next = Arc::new(AtomicU64::new(1));
        let mut ids = MockIdSource::new();
        let (events, runs) = (next.clone(), next);
        let uuid = |next: &AtomicU64| Uuid::from_u128(u128::from(next.fetch_add(1, Ordering::Relaxed)));
        ids.expect_event_id().returning(move || EventId::from_uuid(uuid(&events)));
        ids.expect_run_id().returning(move || RunId::from_uuid(uuid(&runs)));
        let ports = Ports {
            ledger: self.ledger.clone(),
            control: self.ledger,
            forge: Arc::new(self.forge),
            verifier: Arc::new(self.verifier),
            clock,
            ids: Arc::new(ids),
        };
        let mut config = PipelineConfig::new(
            RepositoryName::parse("o/r").unwrap(),
            BranchName::parse("main").unwrap(),
            "test:1".into(),
        );
        config.merge_tries = 3;
        config.retry_pause = Duration::from_secs(1);
        Pipeline::new(ports, config)
    }

    pub async fn promote(self) -> Result<Outcome, PromoteError> {
        self.pipeline().promote(&change(), None, &Silent).await
    }
}

pub fn reason(outcome: &Outcome) -> Option<Reason> {
    use selfext_pipeline::Ending;
    match &outcome.ending {
        Ending::Blocked(refusal) | Ending::Failed(refusal) | Ending::VerificationFailed { refusal, .. } => {
            Some(refusal.reason)
        }
        _ => None,
    }
}
