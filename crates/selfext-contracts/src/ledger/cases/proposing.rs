use selfext_domain::ports::LedgerError;
use selfext_domain::{Event, Run, StreamId};

use crate::ledger::{LedgerFixture, Story, append};

pub async fn a_run_follows_the_one_that_its_writer_knows<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let first = Story::new("first");
    ledger.propose(&first.proposed(), None).await.unwrap();
    append(&ledger, &first.failed(), 2).await.unwrap();

    let second = first.again("second");
    for unaware in [None, Some(Story::new("other").run)] {
        let refused = ledger.propose(&second.proposed(), unaware).await.unwrap_err();
        assert!(matches!(refused, LedgerError::RunExists { run } if run == first.run));
    }
    ledger.propose(&second.proposed(), Some(first.run.clone())).await.unwrap();
    let latest = ledger.latest_run(&first.subject).await.unwrap();
    assert_eq!(Run::fold(&latest).unwrap().id(), &second.run);

    let refused = ledger.propose(&first.again("third").proposed(), Some(first.run)).await.unwrap_err();
    assert!(matches!(refused, LedgerError::RunExists { run } if run == second.run));
}

pub async fn subjects_are_told_apart_by_all_of_their_parts<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("first");
    let others = [
        story.again("second").into_base("develop"),
        story.again("third").in_repository("acme/other"),
        Story::new("fourth"),
    ];
    ledger.propose(&story.proposed(), None).await.unwrap();
    for other in others {
        ledger.propose(&other.proposed(), None).await.unwrap();
        assert_eq!(ledger.latest_run(&other.subject).await.unwrap().len(), 1);
    }
}

pub async fn a_predecessor_that_is_not_there_is_refused<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("first");
    let refused = ledger.propose(&story.proposed(), Some(Story::new("other").run)).await.unwrap_err();
    assert!(matches!(refused, LedgerError::Refused { .. }), "{refused}");
    assert!(ledger.open_runs().await.unwrap().is_empty());
}

pub async fn a_taken_run_id_is_a_conflict<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("first");
    story.begin(&ledger).await;
    let namesake = Story::new("other").again("first");
    let refused = ledger.propose(&namesake.proposed(), None).await.unwrap_err();
    assert!(matches!(refused, LedgerError::Conflict { expected: 1, actual: 2, .. }), "{refused}");
}

pub async fn a_repeated_proposal_is_recorded_once<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("first");
    let event = story.proposed();
    let recorded = ledger.propose(&event, None).await.unwrap();
    assert_eq!(ledger.propose(&event, None).await.unwrap(), recorded);
    append(&ledger, &story.failed(), 2).await.unwrap();
    ledger.propose(&story.again("second").proposed(), Some(story.run.clone())).await.unwrap();
    assert_eq!(ledger.propose(&event, None).await.unwrap(), recorded);
    assert_eq!(ledger.stream_events(&story.run.into()).await.unwrap().len(), 2);
}

pub async fn only_a_proposal_with_a_subject_begins_a_run<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("first");
    let without = Event { subject: None, ..story.proposed() };
    let control = Event { stream: StreamId::Control, ..story.proposed() };
    for event in [story.tested(), without, control] {
        let refused = ledger.propose(&event, None).await.unwrap_err();
        assert!(matches!(refused, LedgerError::Refused { .. }), "{refused}");
    }
    assert!(fixture.rows().await.is_empty());
}
