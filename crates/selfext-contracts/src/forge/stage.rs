//! Where one case plays: a repository, the service over it, and the adapter.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use chrono::DateTime;
use selfext_domain::ports::{Annotation, Evidence, Forge, Publication, Published, SurveyScope};
use selfext_domain::{
    BranchName, Candidate, CommitMeta, EVIDENCE_CONTEXT, EntryChange, EventId, ExecutionContext, Fingerprint,
    GateReading, GoalId, MergeMethod, MergePermit, MergeWay, PermitTerms, RepoPath, RepositoryName, RunId, StatusState,
    ToolName,
};

use super::repository::{BareRepository, changes};
use super::world::{ForgeWorld, Misbehaviour, Step};
use crate::GithubDescription;

/// The token that the service asks for. No form that redaction knows, so that only care hides it.
pub(super) const TOKEN: &str = "hush_0a1b2c3d4e5f.hush-token";

/// What the evidence status says.
const SUMMARY: &str = "2 of 2 stages passed";

/// A survey with the reviews.
pub(super) const REVIEWS: SurveyScope = SurveyScope { reviews: true, creators: false };

/// Evidence that speaks for a change.
pub(super) fn passed() -> Evidence {
    Evidence { passed: true, summary: SUMMARY.to_owned(), text: "**build** passed".to_owned(), annotations: Vec::new() }
}

/// Evidence that speaks against a change.
pub(super) fn failed() -> Evidence {
    let path = RepoPath::parse("src/lib.rs").expect("a legal path");
    let annotations = vec![Annotation { path, line: 2, message: "src/lib.rs:2: it is not 42".to_owned() }];
    Evidence { passed: false, summary: "test failed".to_owned(), text: String::new(), annotations }
}

/// Whether each thing that is said under the name of selfext's evidence is green: in the statuses, and in the check runs.
pub(super) fn evidence_in(gate: &GateReading) -> (Vec<bool>, Vec<bool>) {
    let statuses = gate.statuses.iter().filter(|status| status.context == EVIDENCE_CONTEXT);
    let runs = gate.check_runs.iter().filter(|run| run.name == EVIDENCE_CONTEXT);
    (
        statuses.map(|status| status.state == StatusState::Success).collect(),
        runs.map(|run| run.conclusion.as_deref() == Some("success")).collect(),
    )
}

/// The limit on a request that is expected to be answered.
const USUAL: Duration = Duration::from_secs(20);

/// The limit on a request that is expected not to be answered.
pub(super) const SHORT: Duration = Duration::from_millis(400);

static DESCRIPTION: LazyLock<GithubDescription> = LazyLock::new(GithubDescription::load);

/// A repository, the service over it, and the adapter.
pub(super) struct Stage<W> {
    pub(super) repository: BareRepository,
    pub(super) world: W,
    pub(super) forge: Box<dyn Forge>,
    pub(super) name: RepositoryName,
    pub(super) base: BranchName,
    pub(super) branch: BranchName,
}

/// Plays a case, then checks every exchange.
pub(super) async fn on_stage<W: ForgeWorld>(case: impl AsyncFnOnce(&Stage<W>)) {
    on_stage_with_base("main", case).await;
}

/// Plays a case on a repository whose branch has this name.
pub(super) async fn on_stage_with_base<W: ForgeWorld>(base: &str, case: impl AsyncFnOnce(&Stage<W>)) {
    let base = branch(base);
    let repository = BareRepository::create(&base);
    let name = RepositoryName::parse("octo-org/agent.core").expect("a legal name");
    let world = W::serve(repository.path(), &name, TOKEN).await;
    let forge = world.forge(TOKEN, USUAL);
    let stage =
        Stage { repository, world, forge, name, base, branch: branch("selfext/write-file/goal-7-0123456789abcdef") };
    // The first use asks who it is and which repository; the cases count from there on.
    stage.forge.branch_head(&stage.base).await.expect("the repository is there");
    stage.check_exchanges();
    stage.world.forget_exchanges();
    case(&stage).await;
    stage.check_exchanges();
}

impl<W: ForgeWorld> Stage<W> {
    /// The adapter with a token that the service does not know.
    pub(super) fn stranger(&self) -> Box<dyn Forge> {
        self.world.forge("hush-another-token", USUAL)
    }

    /// The adapter with a short limit on a request.
    pub(super) async fn hurried(&self) -> Box<dyn Forge> {
        let forge = self.world.forge(TOKEN, SHORT);
        forge.branch_head(&self.base).await.expect("the repository is there");
        forge
    }

    /// Gives the base another tip, so that no answer about it can be one that is known already.
    pub(super) fn move_base(&self) {
        let tip = self.repository.head(&self.base).expect("the base is there");
        self.repository.push(&self.base, &changes([("moved.txt", text(tip.as_str()))]), "Somebody's");
    }

    /// The token that the adapter sends.
    pub(super) fn token(&self) -> String {
        self.world.fetched_token().unwrap_or_else(|| TOKEN.to_owned())
    }

    /// Plays this on the next request of this kind; where it refuses the credential of an adapter that fetches another one then,
    /// it refuses that, too.
    pub(super) fn disturb(&self, step: Step, misbehaviour: Misbehaviour) {
        let refuses = matches!(&misbehaviour, Misbehaviour::Answer { status: 401, .. });
        if refuses && self.world.fetched_token().is_some() {
            self.world.disturb(step, misbehaviour.clone());
        }
        self.world.disturb(step, misbehaviour);
    }

    /// A candidate on the tip of the base.
    pub(super) fn candidate(&self, files: &BTreeMap<RepoPath, EntryChange>) -> Candidate {
        let base = self.repository.head(&self.base).expect("the base is there");
        self.repository.candidate(&base, files)
    }

    /// What a run publishes of a candidate.
    pub(super) fn publication(&self, candidate: Candidate) -> Publication {
        let mut context = ExecutionContext::new(ToolName::parse("write-file").expect("a legal name"));
        context.goal_id = Some(GoalId::parse("goal 7").expect("a legal id"));
        let meta = CommitMeta {
            schema: CommitMeta::SCHEMA,
            run_id: RunId::parse("run-1").expect("a legal id"),
            tested: EventId::from_uuid(uuid::Uuid::from_u128(2)),
            base: candidate.base.clone(),
            fingerprint: Fingerprint::from_bytes([7; 32]),
            context,
        };
        Publication {
            candidate,
            branch: self.branch.clone(),
            base: self.base.clone(),
            commit_message: meta.attach("Answer better\n\nBecause 42.").expect("no floats"),
            title: "Answer better".to_owned(),
            body: "The evidence.\n\n- one\n- two".to_owned(),
            fresh: self.repository.head(&self.branch).is_none(),
        }
    }

    /// One changed text file.
    pub(super) fn usual_publication(&self) -> Publication {
        self.publication(self.candidate(&one_file()))
    }

    /// One changed text file, of which something may be there already.
    pub(super) fn known_publication(&self) -> Publication {
        Publication { fresh: false, ..self.usual_publication() }
    }

    /// One changed text file, published with its evidence.
    pub(super) async fn published(&self) -> (Publication, Published) {
        let publication = self.usual_publication();
        let published = self.publish(&publication).await;
        (publication, published)
    }

    /// Publishes, and shows the evidence.
    pub(super) async fn publish(&self, publication: &Publication) -> Published {
        let published = self.forge.publish(publication).await.expect("it can be published");
        self.forge.show_evidence(&published.head, &passed()).await.expect("it can be shown");
        published
    }

    /// What [`evidence_in`] finds of evidence that was shown once, in the system in which the adapter shows it.
    pub(super) fn once(passed: bool) -> (Vec<bool>, Vec<bool>) {
        if W::EVIDENCE == Step::SetStatus { (vec![passed], Vec::new()) } else { (Vec::new(), vec![passed]) }
    }

    /// How many requests of this kind were made since the last count began.
    pub(super) fn asked(&self, step: Step) -> usize {
        let (method, path) = step.request();
        let end = path.rsplit('/').find(|part| *part != "*").unwrap_or_default();
        let exchanges = self.world.exchanges().into_iter();
        exchanges.filter(|exchange| exchange.method == method && exchange.path_and_query.contains(end)).count()
    }

    /// The pull requests that are open.
    pub(super) async fn open_pull_requests(&self) -> usize {
        self.world.pull_requests().await.iter().filter(|pull| pull.open).count()
    }

    /// The terms of a permit to squash what was published.
    pub(super) fn terms(&self, publication: &Publication, published: &Published) -> PermitTerms {
        PermitTerms {
            id: EventId::from_uuid(uuid::Uuid::from_u128(1)),
            run: RunId::parse("run-1").expect("a legal id"),
            repository: self.name.clone(),
            base: publication.base.clone(),
            base_commit: publication.candidate.base.clone(),
            pull_request: published.pull_request,
            branch: publication.branch.clone(),
            head: published.head.clone(),
            tree: publication.candidate.tree.clone(),
            method: MergeMethod::Squash,
            way: MergeWay::Direct,
            message: publication.commit_message.clone(),
            permit_status: false,
            health: None,
            holder: "a test".to_owned(),
            granted_at: DateTime::UNIX_EPOCH,
            deadline: DateTime::UNIX_EPOCH,
        }
    }

    /// A permit to squash what was published.
    pub(super) fn permit(&self, publication: &Publication, published: &Published) -> MergePermit {
        permit(self.terms(publication, published))
    }

    /// Every undisturbed exchange is as GitHub describes it, and none holds the token.
    fn check_exchanges(&self) {
        let mut wrong = Vec::new();
        for exchange in self.world.exchanges() {
            let shown = format!("{} {}", exchange.method, exchange.path_and_query);
            let sent = exchange.request_body.as_ref().map(ToString::to_string).unwrap_or_default();
            assert!(!shown.contains(TOKEN) && !sent.contains(TOKEN), "the token is in {shown} {sent}");
            // GitHub describes 401 nowhere, though it is what a wrong token gets everywhere.
            let Some(status) = exchange.status.filter(|status| *status != 401 && !exchange.disturbed) else {
                continue;
            };
            let (request, response) = (exchange.request_body.as_ref(), exchange.response_body.as_ref());
            let checked = DESCRIPTION.check(&exchange.method, &exchange.path_and_query, request, status, response);
            wrong.extend(checked.err().into_iter().flatten());
        }
        assert!(wrong.is_empty(), "not as GitHub describes it:\n{}", wrong.join("\n"));
    }
}

/// A permit, as a ledger would yield it.
#[expect(clippy::disallowed_methods, reason = "the contract of the forge needs permits, and a test has no ledger")]
pub(super) fn permit(terms: PermitTerms) -> MergePermit {
    MergePermit::from_ledger(terms)
}

pub(super) fn branch(name: &str) -> BranchName {
    BranchName::parse(name).expect("a legal branch")
}

/// The bytes of a text file that is not executable.
pub(super) fn text(content: &str) -> EntryChange {
    EntryChange::Write { content: content.as_bytes().into(), executable: false }
}

/// The change of most cases.
pub(super) fn one_file() -> BTreeMap<RepoPath, EntryChange> {
    changes([("src/lib.rs", text("pub fn answer() -> u32 {\n    42\n}\n"))])
}
