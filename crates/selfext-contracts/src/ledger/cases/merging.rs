use selfext_domain::ports::LedgerError;
use selfext_domain::{Digest32, Event, EventBody, PullRequestNumber, Reason, Run, Tip};

use crate::control::pause_request;
use crate::ledger::{LedgerFixture, Story, append, before, begin_merge, fresh_id, granted, refused};

pub async fn a_permit_has_the_terms_that_the_run_tells<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let event = story.merge_started();
    let (permit, recorded) = granted(begin_merge(&ledger, &event, 3).await.unwrap());
    assert_eq!((&recorded.event, recorded.sequence), (&event, 3));
    let run = Run::fold(&ledger.stream_events(&story.run.clone().into()).await.unwrap()).unwrap();
    assert_eq!(run.permit(), Some(permit.terms()));
    assert_eq!(ledger.open_permits().await.unwrap(), [permit.terms().clone()]);

    let (reopened, again) = granted(ledger.reopen_merge(&story.run, event.id).await.unwrap());
    assert_eq!((reopened, again), (permit, recorded));
}

pub async fn asking_again_yields_the_same_permit<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, control) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let event = story.merge_started();
    let first = granted(begin_merge(&ledger, &event, 3).await.unwrap());
    assert_eq!(granted(begin_merge(&ledger, &event, 3).await.unwrap()), first);
    // A pause in between has told of this permit, so the lost answer may still be given.
    assert_eq!(control.pause(&pause_request("deploy")).await.unwrap().in_flight, [first.0.terms().clone()]);
    assert_eq!(granted(begin_merge(&ledger, &event, 3).await.unwrap()), first);
    assert_eq!(ledger.stream_events(&story.run.into()).await.unwrap().len(), 3);
}

pub async fn a_permit_that_is_fenced_or_closed_is_not_yielded_again<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    for (name, fence) in [("blocked", false), ("promoted", false), ("failed", false), ("fenced", true)] {
        let story = Story::new(name);
        story.begin(&ledger).await;
        let event = story.merge_started();
        let _ = granted(begin_merge(&ledger, &event, 3).await.unwrap());
        let next = match name {
            "blocked" => story.blocked(),
            "promoted" => story.promoted(),
            "failed" => story.failed(),
            _ => story.fenced(event.id),
        };
        append(&ledger, &next, 4).await.unwrap();
        for answer in [begin_merge(&ledger, &event, 3).await, ledger.reopen_merge(&story.run, event.id).await] {
            assert!(matches!(answer, Err(LedgerError::PermitClosed { .. })), "{name}: {answer:?}");
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
                append(&ledger, &story.fenced(permit.terms().id), 4).await.unwrap();
                story.abandoned()
            }
        };
        let sequence = ledger.stream_events(&story.run.clone().into()).await.unwrap().len() as u64 + 1;
        append(&ledger, &end, sequence).await.unwrap();
        assert!(ledger.open_permits().await.unwrap().is_empty(), "{name}");
        if name == "blocked" {
            let (again, _) = granted(begin_merge(&ledger, &story.merge_started(), 5).await.unwrap());
            assert_ne!(again.terms().id, permit.terms().id);
            append(&ledger, &story.promoted(), 6).await.unwrap();
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
        let refusal = refused(begin_merge(&ledger, &story.merge_started(), 3).await.unwrap());
        assert_eq!(refusal.reason, Reason::MergeInFlight);
        assert!(refusal.detail.contains("first"), "{refusal}");
    }
    // A fence keeps it in flight.
    append(&ledger, &first.fenced(permit.terms().id), 4).await.unwrap();
    let waiting = Story::new("waiting");
    waiting.begin(&ledger).await;
    assert_eq!(refused(begin_merge(&ledger, &waiting.merge_started(), 3).await.unwrap()).reason, Reason::MergeInFlight);
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

pub async fn a_takeover_is_the_permit_from_then_on<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, control) = fixture.ports();
    let story = Story::new("run 1");
    let (first, _) = story.begin_merging(&ledger).await;
    let taken = story.merge_started_by("another");
    let (second, recorded) = granted(begin_merge(&ledger, &taken, 4).await.unwrap());
    assert_eq!((second.terms().id, recorded.sequence), (taken.id, 4));
    assert!(second.terms().is_of_the_same_merge_as(first.terms()));
    assert_eq!(ledger.open_permits().await.unwrap(), [second.terms().clone()]);
    assert_eq!(granted(ledger.reopen_merge(&story.run, taken.id).await.unwrap()).0, second);

    // The first holder can neither use its permit again nor close it.
    let refused_again = ledger.reopen_merge(&story.run, first.terms().id).await.unwrap_err();
    assert!(matches!(refused_again, LedgerError::PermitClosed { .. }), "{refused_again}");
    let closing = append(&ledger, &story.blocked(), 4).await.unwrap_err();
    assert!(matches!(closing, LedgerError::Conflict { .. }), "{closing}");
    // Nor is a merge taken over in a pause.
    control.pause(&pause_request("deploy")).await.unwrap();
    let third = story.merge_started_by("a third");
    assert_eq!(refused(begin_merge(&ledger, &third, 5).await.unwrap()).reason, Reason::PromotionPaused);
    assert_eq!(control.pause(&pause_request("again")).await.unwrap().in_flight, [second.terms().clone()]);
}

pub async fn only_the_same_merge_is_taken_over_and_not_while_it_is_fenced<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    let (permit, _) = story.begin_merging(&ledger).await;
    let mut of_another_head = story.merge_started();
    let EventBody::MergeStarted(started) = &mut of_another_head.body else { panic!("it begins a merge") };
    started.head = started.base_commit.clone();
    let of_another_number = Event { pull_request: PullRequestNumber::new(1).ok(), ..story.merge_started() };
    for event in [of_another_head, of_another_number] {
        let refused = begin_merge(&ledger, &event, 4).await.unwrap_err();
        assert!(matches!(refused, LedgerError::Refused { .. }), "{refused}");
    }
    append(&ledger, &story.fenced(permit.terms().id), 4).await.unwrap();
    let refused = begin_merge(&ledger, &story.merge_started(), 5).await.unwrap_err();
    assert!(matches!(refused, LedgerError::Refused { .. }), "{refused}");
    assert_eq!(ledger.open_permits().await.unwrap(), [permit.terms().clone()]);
    assert_eq!(ledger.stream_events(&story.run.into()).await.unwrap().len(), 4);
}

pub async fn a_merge_waits_for_a_look_at_what_landed_since_its_run_was_tested<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let (landing, waiting) = (Story::new("landing"), Story::new("waiting"));
    let elsewhere = Story::new("elsewhere").into_base("develop");
    for story in [&waiting, &elsewhere] {
        story.begin(&ledger).await;
    }
    let _ = landing.begin_merging(&ledger).await;
    append(&ledger, &landing.promoted(), 4).await.unwrap();
    let refusal = refused(begin_merge(&ledger, &waiting.merge_started(), 3).await.unwrap());
    assert_eq!(refusal.reason, Reason::BaseMoved);
    assert!(refusal.detail.contains("landing"), "{refusal}");
    let _ = granted(begin_merge(&ledger, &elsewhere.merge_started(), 3).await.unwrap());
    append(&ledger, &waiting.tested(), 3).await.unwrap();
    let _ = granted(begin_merge(&ledger, &waiting.merge_started(), 4).await.unwrap());
}

pub async fn a_stale_number_is_a_conflict_and_begins_nothing<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let last = before(&ledger, &story.run.clone().into(), 3).await;
    for wrong in [0, 1, 3, u64::MAX] {
        let after = Tip { sequence: wrong, ..last };
        let refused = ledger.begin_merge(&story.merge_started(), after).await.unwrap_err();
        let LedgerError::Conflict { expected, actual, .. } = refused else { panic!("{refused}") };
        assert_eq!((expected, actual), (wrong.saturating_add(1), 2));
    }
    let other = Tip { hash: Digest32::of(b"another"), ..last };
    let refused = ledger.begin_merge(&story.merge_started(), other).await.unwrap_err();
    assert!(matches!(refused, LedgerError::Diverged { sequence: 2, .. }), "{refused}");
    assert!(ledger.open_permits().await.unwrap().is_empty());
}

pub async fn a_run_that_is_not_open_begins_no_merge<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    append(&ledger, &story.failed(), 3).await.unwrap();
    let unbegun = Story::new("unbegun");
    for (story, sequence) in [(story, 4), (unbegun, 1)] {
        let refused = begin_merge(&ledger, &story.merge_started(), sequence).await.unwrap_err();
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
        let refused = begin_merge(&ledger, &event, 3).await.unwrap_err();
        assert!(matches!(refused, LedgerError::Refused { .. }), "{refused}");
    }
}

pub async fn a_run_without_a_permit_reopens_nothing<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    for run in [&story.run, &Story::new("none").run] {
        let refused = ledger.reopen_merge(run, fresh_id()).await.unwrap_err();
        assert!(matches!(refused, LedgerError::PermitClosed { .. }), "{refused}");
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
