//! A small ledger for tests.

use selfext_domain::{
    ActorSource, BranchName, CommitSha, CorrelationId, Digest32, Event, EventBody, EventId, ExecutionContext, Failed,
    Fingerprint, HealthTerms, HealthWindowFailed, HealthWindowPassed, Link, MergeMethod, MergeStarted, MergeWay,
    OperatorName, Position, Promoted, PromotionPauseChanged, Proposed, PullRequestNumber, Reason, Refusal,
    RepositoryName, RollbackAcknowledged, RollbackFailed, RollbackStarted, RolledBack, RunAbandoned, RunId, Stage,
    StreamId, Subject, Tested, ToolName, TreeSha,
};
use uuid::Uuid;

use crate::checkpoint::Checkpoint;
use crate::merkle::TreeFrontier;
use crate::note::{KeyName, SignerKey};
use crate::{event_leaf, note::VerifierKey};

/// A row as a database would hold it.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub position: Position,
    pub run: String,
    pub sequence: i64,
    pub content: String,
    pub link: Link,
}

/// A ledger that is written by the rules.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    pub rows: Vec<Row>,
}

pub(crate) fn key() -> SignerKey {
    SignerKey::generate(KeyName::parse("ledger.example").unwrap(), &[3; 32])
}

pub(crate) fn keys() -> Vec<VerifierKey> {
    vec![key().verifier().clone()]
}

pub(crate) fn commit(digit: char) -> CommitSha {
    CommitSha::parse(digit.to_string().repeat(40)).unwrap()
}

pub(crate) fn operator() -> OperatorName {
    OperatorName::parse("ops").unwrap()
}

pub(crate) fn body(event_type: &str) -> EventBody {
    let branch = BranchName::parse("selfext/t/x").unwrap();
    let tree = TreeSha::parse("b".repeat(40)).unwrap();
    match event_type {
        "proposed" => Proposed {
            message: "m".into(),
            files: vec![],
            branch,
            rollback_of: None,
            made_on: None,
            rolled_back_before: None,
        }
        .into(),
        "tested" => Tested {
            base_commit: commit('a'),
            tree,
            branch,
            title: "T".into(),
            rules_sha256: Digest32::of(b""),
            stages: vec![],
            attempt: 1,
            holder: "h".into(),
        }
        .into(),
        "merge_started" => MergeStarted {
            head: commit('c'),
            base_commit: commit('a'),
            tree,
            branch,
            method: MergeMethod::Squash,
            way: MergeWay::Direct,
            message: "m".into(),
            permit_status: false,
            health: None,
            holder: "h".into(),
            deadline_seconds: 60,
        }
        .into(),
        "promoted" => {
            let health = Some(HealthTerms::default());
            Promoted { commit: commit('d'), tree, tree_matches: true, checked_in_queue: false, health }.into()
        }
        "health_window_passed" => HealthWindowPassed { commit: commit('d'), samples: 1, window_seconds: 1 }.into(),
        "health_window_failed" => HealthWindowFailed { commit: commit('d'), refusal: sick() }.into(),
        "rollback_started" => RollbackStarted { rollback_run: back(), detail: "why".into() }.into(),
        "rolled_back" => RolledBack { rollback_run: back(), commit: commit('e') }.into(),
        "rollback_failed" => RollbackFailed { rollback_run: back(), refusal: sick(), prepared: Some(branch) }.into(),
        "rollback_acknowledged" => RollbackAcknowledged { by: operator(), reason: None }.into(),
        "failed" => {
            Failed { refusal: Refusal::new(Stage::Verification, Reason::VerificationFailed, "why"), stages: vec![] }
                .into()
        }
        "run_abandoned" => RunAbandoned { by: operator(), reason: None }.into(),
        "promotion_pause_changed" => PromotionPauseChanged {
            paused: true,
            by: operator(),
            reason: Some("␛ and \0".into()),
            allow_rollbacks: false,
            os_user: None,
        }
        .into(),
        other => panic!("no sample of {other}"),
    }
}

fn back() -> RunId {
    RunId::parse("back").unwrap()
}

fn sick() -> Refusal {
    Refusal::new(Stage::HealthWindow, Reason::Unhealthy, "why")
}

impl Ledger {
    /// Appends an event of a stream.
    pub(crate) fn append(&mut self, stream: &str, body: EventBody) {
        let id = self.rows.len() as u128 + 1;
        let stream = StreamId::parse(stream).unwrap();
        let run = stream.run().cloned();
        let event = Event {
            id: EventId::from_uuid(Uuid::from_u128(id)),
            correlation_id: CorrelationId::parse(stream.as_str()).unwrap(),
            actor_source: ActorSource::agent(),
            context: run.as_ref().map(|_| ExecutionContext {
                actor_source: Some(ActorSource::agent()),
                ..ExecutionContext::new(ToolName::parse("write").unwrap())
            }),
            subject: run.as_ref().map(|run| Subject {
                repository: RepositoryName::parse("o/r").unwrap(),
                base: BranchName::parse("main").unwrap(),
                fingerprint: Fingerprint::from_bytes(*Digest32::of(run.as_str().as_bytes()).as_bytes()),
            }),
            pull_request: run.map(|_| PullRequestNumber::new(12).unwrap()),
            stream,
            body,
        };
        self.append_content(event.stream.as_str(), event.to_content().unwrap());
    }

    /// Appends a content behind the stream's last event.
    pub(crate) fn append_content(&mut self, stream: &str, content: String) {
        let last = self.rows.iter().rev().find(|row| row.run == stream);
        let (sequence, hash) = last.map_or((0, Link::GENESIS), |row| (row.sequence, row.link.hash));
        let id = self.rows.last().map_or(0, |row| row.position.id) + 1;
        self.rows.push(Row {
            position: Position { transaction: id * 10, id },
            run: stream.to_owned(),
            sequence: sequence + 1,
            link: Link::new(hash, content.as_bytes()),
            content,
        });
    }

    /// Two promoted runs and a failed one, mingled, with a pause in between: ten events and more.
    pub(crate) fn example() -> Self {
        let mut ledger = Self::default();
        for (stream, event_type) in [
            ("a", "proposed"),
            ("b", "proposed"),
            ("a", "tested"),
            ("control", "promotion_pause_changed"),
            ("a", "merge_started"),
            ("b", "tested"),
            ("a", "promoted"),
            ("c", "proposed"),
            ("b", "merge_started"),
            ("c", "failed"),
            ("b", "promoted"),
            ("control", "promotion_pause_changed"),
            ("a", "health_window_passed"),
        ] {
            ledger.append(stream, body(event_type));
        }
        ledger
    }

    /// The signed checkpoint over the first `size` rows.
    pub(crate) fn seal(&self, size: usize) -> String {
        let mut tree = TreeFrontier::new();
        for row in &self.rows[..size] {
            tree.push(event_leaf(row.link.hash));
        }
        let position = size.checked_sub(1).map(|last| self.rows[last].position);
        let checkpoint = Checkpoint::new(key().name().clone(), size as u64, tree.root(), position);
        checkpoint.sign(&key()).unwrap().to_string()
    }

    /// Computes a stream's hashes anew, as whoever holds the database can.
    pub(crate) fn relink(&mut self, stream: &str) {
        let mut hash = Link::GENESIS;
        for row in self.rows.iter_mut().filter(|row| row.run == stream) {
            row.link = Link::new(hash, row.content.as_bytes());
            hash = row.link.hash;
        }
    }
}

pub(crate) fn run(id: &str) -> RunId {
    RunId::parse(id).unwrap()
}
