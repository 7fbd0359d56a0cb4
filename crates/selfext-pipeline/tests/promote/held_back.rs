//! The ledger in memory holds back what the real ones do, so that the tests over it mean something.

use selfext_domain::ports::{Ledger as _, MergeGrant};
use selfext_domain::*;
use uuid::Uuid;

use crate::ledger::MemoryLedger;
use crate::world::*;

fn id(name: &str) -> RunId {
    RunId::parse(name).unwrap()
}

fn run(ledger: &MemoryLedger, name: &str) -> Run {
    ledger.runs().into_iter().find(|run| run.id().as_str() == name).unwrap()
}

/// Proposes a run, and tests it.
async fn begin(ledger: &MemoryLedger, name: &str, rollback_of: Option<&str>) {
    let digest = Digest32::of(name.as_bytes());
    let mut unique = [0; 16];
    unique.copy_from_slice(&digest.as_bytes()[..16]);
    let proposed = Proposed {
        message: "m".into(),
        files: vec![],
        branch: BranchName::parse("selfext/t/x").unwrap(),
        rollback_of: rollback_of.map(id),
        made_on: None,
        rolled_back_before: None,
    };
    let context = ExecutionContext::new(ToolName::parse("write").unwrap());
    let event = Event {
        id: EventId::from_uuid(Uuid::from_bytes(unique)),
        stream: id(name).into(),
        correlation_id: CorrelationId::from(&id(name)),
        actor_source: context.actor(),
        context: Some(context),
        subject: Some(Subject {
            repository: RepositoryName::parse("acme/agent").unwrap(),
            base: BranchName::parse("main").unwrap(),
            fingerprint: Fingerprint::from_bytes(*digest.as_bytes()),
        }),
        pull_request: None,
        body: proposed.into(),
    };
    ledger.propose(&event, None).await.unwrap();
    let tested = Tested {
        base_commit: base(),
        tree: tree('2'),
        branch: BranchName::parse("selfext/t/x").unwrap(),
        title: "T".into(),
        rules_sha256: Digest32::of(b""),
        stages: vec![],
        attempt: 1,
        holder: "h".into(),
    };
    ledger.write_as_other(&run(ledger, name), tested.into());
}

/// Why a run may not merge; a permit that it gets is closed again.
async fn refused(ledger: &MemoryLedger, name: &str) -> Option<Reason> {
    let run = run(ledger, name);
    let unique = Uuid::from_u128(u128::from(run.sequence()) << 64 | u128::from(run.id().as_str().len() as u64));
    let mut event = run.next_event(EventId::from_uuid(unique), started()).unwrap();
    event.pull_request = Some(number());
    match ledger.begin_merge(&event, run.tip()).await.unwrap() {
        MergeGrant::Refused(refusal) => Some(refusal.reason),
        MergeGrant::Granted(..) => {
            let refusal = Refusal::new(Stage::PromotionMerge, Reason::MergeNotYet, "later");
            ledger.write_as_other(&self::run(ledger, name), PromotionBlocked { refusal }.into());
            None
        }
    }
}

fn started() -> EventBody {
    MergeStarted {
        head: head(),
        base_commit: base(),
        tree: tree('2'),
        branch: BranchName::parse("selfext/t/x").unwrap(),
        method: MergeMethod::Squash,
        way: MergeWay::Direct,
        message: "m".into(),
        permit_status: false,
        health: Some(HealthTerms::default()),
        holder: "h".into(),
        deadline_seconds: 60,
    }
    .into()
}

/// How a branch stands, in brief.
async fn standing(ledger: &MemoryLedger) -> (Vec<RunId>, Option<CommitSha>, u64) {
    let (repository, base) = (RepositoryName::parse("acme/agent").unwrap(), BranchName::parse("main").unwrap());
    let standing = ledger.health_standing(&repository, &base, std::time::Duration::from_hours(1)).await.unwrap();
    (standing.watched, standing.baseline, standing.rollbacks)
}

#[tokio::test]
async fn each_state_of_a_landed_run_holds_others_back_but_not_its_own_rollback() {
    let ledger = MemoryLedger::default();
    begin(&ledger, "landed", None).await;
    begin(&ledger, "waits", None).await;
    begin(&ledger, "takes back", Some("landed")).await;
    assert_eq!(refused(&ledger, "waits").await, None);
    assert_eq!(refused(&ledger, "takes back").await, Some(Reason::RollbackInProgress));
    assert_eq!(standing(&ledger).await, (vec![], None, 0));

    let sick = || Refusal::new(Stage::HealthWindow, Reason::Unhealthy, "it hangs");
    let promoted = Promoted {
        commit: landed(),
        tree: tree('2'),
        tree_matches: true,
        checked_in_queue: false,
        health: Some(HealthTerms::default()),
    };
    let (back, other) = (id("takes back"), id("another"));
    let rollback = |by: &RunId| RollbackStarted { rollback_run: by.clone(), detail: "d".into() };
    let failed = |by: &RunId| RollbackFailed { rollback_run: by.clone(), refusal: sick(), prepared: None };
    let acknowledged = RollbackAcknowledged { by: OperatorName::parse("ops").unwrap(), reason: None };
    let in_progress = Some(Reason::RollbackInProgress);
    let table: Vec<(EventBody, Option<Reason>, Option<Reason>, u64)> = vec![
        (started(), None, in_progress, 0),
        (promoted.into(), Some(Reason::HealthWindowOpen), in_progress, 0),
        (HealthWindowFailed { commit: landed(), refusal: sick() }.into(), in_progress, in_progress, 0),
        (rollback(&back).into(), in_progress, None, 0),
        (failed(&back).into(), Some(Reason::RollbackUnacknowledged), in_progress, 1),
        (rollback(&other).into(), in_progress, in_progress, 1),
        (failed(&other).into(), Some(Reason::RollbackUnacknowledged), in_progress, 2),
        (acknowledged.into(), None, in_progress, 2),
        (rollback(&back).into(), in_progress, None, 2),
        (RolledBack { rollback_run: back.clone(), commit: head() }.into(), None, in_progress, 3),
    ];
    for (body, waits, takes_back, rollbacks) in table {
        let event_type = body.event_type().to_owned();
        ledger.write_as_other(&run(&ledger, "landed"), body);
        if event_type == "merge_started" {
            continue;
        }
        assert_eq!(refused(&ledger, "waits").await, waits, "{event_type}");
        assert_eq!(refused(&ledger, "takes back").await, takes_back, "{event_type}");
        let watched = if waits.is_some() { vec![id("landed")] } else { vec![] };
        assert_eq!(standing(&ledger).await, (watched, Some(base()), rollbacks), "{event_type}");
    }
}
