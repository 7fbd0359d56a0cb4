use selfext_domain::ports::{LedgerError, PauseRequest};
use selfext_domain::{Event, PullRequestNumber, Reason, Run};

use crate::ledger::{LedgerFixture, Story, fresh_id, granted, operator, refused};

pub async fn a_permit_has_the_terms_that_the_run_tells<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let event = story.merge_started();
    let (permit, recorded) = granted(ledger.begin_merge(&event, 3, false).await.unwrap());
    assert_eq!((&recorded.event, recorded.sequence), (&event, 3));
    let run = Run::fold(&ledger.stream_events(&story.run.clone().into()).await.unwrap()).unwrap();
    assert_eq!(run.permit(), Some(permit.terms()));
    assert_eq!(ledger.open_permits().await.unwrap(), [permit.terms().clone()]);

    let (reopened, again) = granted(ledger.reopen_merge(&story.run, false).await.unwrap());
    assert_eq!((reopened, again), (permit, recorded));
}

pub async fn asking_again_yields_the_same_permit<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, control) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let event = story.merge_started();
    let first = granted(ledger.begin_merge(&event, 3, false).await.unwrap());
    assert_eq!(granted(ledger.begin_merge(&event, 3, false).await.unwrap()), first);
    // A pause in between has told of this permit, so the lost answer may still be given.
    let pause = PauseRequest {
        event: fresh_id(),
        by: operator("ops"),
        reason: "deploy".to_owned(),
        allow_rollbacks: false,
        os_user: None,
    };
    assert_eq!(control.pause(&pause).await.unwrap().in_flight, [first.0.terms().clone()]);
    assert_eq!(granted(ledger.begin_merge(&event, 3, false).await.unwrap()), first);
    assert_eq!(ledger.stream_events(&story.run.into()).await.unwrap().len(), 3);
}

pub async fn a_permit_that_is_fenced_or_closed_is_not_yielded_again<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    for (name, fence) in [("blocked", false), ("promoted", false), ("failed", false), ("fenced", true)] {
        let story = Story::new(name);
        story.begin(&ledger).await;
        let event = story.merge_started();
        let _ = granted(ledger.begin_merge(&event, 3, false).await.unwrap());
        let next = match name {
            "blocked" => story.blocked(),
            "promoted" => story.promoted(),
            "failed" => story.failed(),
            _ => story.fenced(event.id),
        };
        ledger.append(&next, 4).await.unwrap();
        for answer in [ledger.begin_merge(&event, 3, false).await, ledger.reopen_merge(&story.run, false).await] {
            assert!(matches!(answer, Err(LedgerError::Refused { .. })), "{name}: {answer:?}");
        }
        assert_eq!(ledger.open_permits().await.unwrap().len(), usize::from(fence), "{name}");
    }
}

pub async fn what_ends_a_merge_frees_the_branch<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    for name in ["blocked", "promoted", "failed", "abandoned"] {
        let story = Story::new(name);
        let (permit, _) = story.begin_merging(&ledger).await;
        let end = match name {
            "blocked" => story.blocked(),
            "promoted" => story.promoted(),
            "failed" => story.failed(),
            _ => {
                ledger.append(&story.fenced(permit.terms().id), 4).await.unwrap();
                story.abandoned()
            }
        };
        let sequence = ledger.stream_events(&story.run.clone().into()).await.unwrap().len() as u64 + 1;
        ledger.append(&end, sequence).await.unwrap();
        assert!(ledger.open_permits().await.unwrap().is_empty(), "{name}");
        if name == "blocked" {
            let (again, _) = granted(ledger.begin_merge(&story.merge_started(), 5, false).await.unwrap());
            assert_ne!(again.terms().id, permit.terms().id);
            ledger.append(&story.promoted(), 6).await.unwrap();
        }
    }
    assert!(ledger.open_runs().await.unwrap().is_empty());
}

pub async fn another_merge_of_the_branch_or_pull_request_is_in_flight<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let first = Story::new("first");
    let (permit, _) = first.begin_merging(&ledger).await;

    let same_base = Story::new("same base");
    let same_pull_request =
        Story { pull_request: first.pull_request, ..Story::new("same number").into_base("develop") };
    for story in [same_base, same_pull_request] {
        story.begin(&ledger).await;
        let refusal = refused(ledger.begin_merge(&story.merge_started(), 3, false).await.unwrap());
        assert_eq!(refusal.reason, Reason::MergeInFlight);
        assert!(refusal.detail.contains("first"), "{refusal}");
    }
    // Its own second merge, too.
    let refusal = refused(ledger.begin_merge(&first.merge_started(), 4, false).await.unwrap());
    assert_eq!(refusal.reason, Reason::MergeInFlight);
    // A fence keeps it in flight.
    ledger.append(&first.fenced(permit.terms().id), 4).await.unwrap();
    let waiting = Story::new("waiting");
    waiting.begin(&ledger).await;
    assert_eq!(
        refused(ledger.begin_merge(&waiting.merge_started(), 3, false).await.unwrap()).reason,
        Reason::MergeInFlight
    );
}

pub async fn merges_elsewhere_do_not_disturb_each_other<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let first = Story::new("first");
    let other_base = Story::new("other base").into_base("develop");
    let other_repository =
        Story { pull_request: first.pull_request, ..Story::new("other repository").in_repository("acme/other") };
    let mut permits = Vec::new();
    for story in [&first, &other_base, &other_repository] {
        permits.push(story.begin_merging(&ledger).await.0.terms().clone());
    }
    assert_eq!(ledger.open_permits().await.unwrap(), permits);
}

pub async fn a_stale_number_is_a_conflict_and_begins_nothing<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    for wrong in [0, 1, 2, 4, u64::MAX] {
        let refused = ledger.begin_merge(&story.merge_started(), wrong, false).await.unwrap_err();
        let LedgerError::Conflict { expected, actual, .. } = refused else { panic!("{refused}") };
        assert_eq!((expected, actual), (wrong, 2));
    }
    assert!(ledger.open_permits().await.unwrap().is_empty());
}

pub async fn a_run_that_is_not_open_begins_no_merge<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    ledger.append(&story.failed(), 3).await.unwrap();
    let unbegun = Story::new("unbegun");
    for (story, sequence) in [(story, 4), (unbegun, 1)] {
        let refused = ledger.begin_merge(&story.merge_started(), sequence, false).await.unwrap_err();
        assert!(matches!(refused, LedgerError::Refused { .. }), "{refused}");
    }
}

pub async fn only_merge_started_with_its_facts_begins_a_merge<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let number = PullRequestNumber::new(1).unwrap();
    for event in [
        Event { pull_request: None, ..story.merge_started() },
        Event { subject: None, ..story.merge_started() },
        Event { pull_request: Some(number), ..story.blocked() },
    ] {
        let refused = ledger.begin_merge(&event, 3, false).await.unwrap_err();
        assert!(matches!(refused, LedgerError::Refused { .. }), "{refused}");
    }
}

pub async fn a_run_without_a_permit_reopens_nothing<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    for run in [&story.run, &Story::new("none").run] {
        let refused = ledger.reopen_merge(run, false).await.unwrap_err();
        assert!(matches!(refused, LedgerError::Refused { .. }), "{refused}");
    }
}

pub async fn the_time_is_that_of_the_clock_that_dates_events<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let before = ledger.time().await.unwrap();
    let (permit, _) = Story::new("run 1").begin_merging(&ledger).await;
    let after = ledger.time().await.unwrap();
    assert!(before <= permit.terms().granted_at && permit.terms().granted_at <= after);
    assert!(after < permit.terms().deadline);
}
