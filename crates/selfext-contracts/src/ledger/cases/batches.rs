use std::sync::Arc;

use futures::future::join_all;
use selfext_domain::ports::LedgerError;
use selfext_domain::{Digest32, Event, EventBody, Link, StreamId, Tip, UnknownEvent};

use crate::ledger::{LedgerFixture, Story, append, before, fresh_id};

/// Events that may follow each other in a run that was tested.
fn batch(story: &Story) -> Vec<Event> {
    vec![story.tested(), story.blocked(), story.tested()]
}

pub async fn a_batch_is_recorded_as_its_events_one_by_one<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run ␛ 'quoted\" \\");
    story.begin(&ledger).await;
    let stream = StreamId::from(story.run.clone());
    let events: Vec<Event> = (0..100).map(|_| story.tested()).collect();
    let recorded = ledger.append_all(&events, before(&ledger, &stream, 3).await).await.unwrap();

    assert_eq!(recorded.iter().map(|one| &one.event).collect::<Vec<_>>(), events.iter().collect::<Vec<_>>());
    assert!(recorded.iter().map(|one| one.sequence).eq(3..103));
    let stored = ledger.stream_events(&stream).await.unwrap();
    assert_eq!(stored[2..], recorded);
    for pair in stored.windows(2) {
        assert_eq!(pair[1].link, Link::new(pair[0].link.hash, pair[1].content.as_bytes()));
        assert!(pair[0].position < pair[1].position && pair[0].recorded_at <= pair[1].recorded_at);
        assert_eq!(pair[0].written_by, pair[1].written_by);
    }
    append(&ledger, &story.blocked(), 103).await.unwrap();
}

pub async fn a_repeated_batch_is_recorded_once<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let (events, stream) = (batch(&story), StreamId::from(story.run.clone()));
    let tip = before(&ledger, &stream, 3).await;
    let recorded = ledger.append_all(&events, tip).await.unwrap();
    append(&ledger, &story.blocked(), 6).await.unwrap();
    for sequence in [3, 6, 7, 99] {
        let tip = before(&ledger, &stream, sequence).await;
        assert_eq!(ledger.append_all(&events, tip).await.unwrap(), recorded);
    }
    // It does not matter how they were written.
    assert_eq!(append(&ledger, &events[1], 4).await.unwrap(), recorded[1]);
    assert_eq!(ledger.append_all(&events[1..], tip).await.unwrap(), recorded[1..]);
    assert_eq!(ledger.stream_events(&stream).await.unwrap().len(), 6);
}

pub async fn a_batch_without_events_is_nothing<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    assert!(ledger.append_all(&[], Tip::START).await.unwrap().is_empty());
    assert!(fixture.rows().await.is_empty());
}

pub async fn a_batch_that_is_not_next_is_a_conflict<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let last = before(&ledger, &story.run.clone().into(), 3).await;
    for wrong in [0, 1, 3, 1_000, u64::MAX] {
        let refused = ledger.append_all(&batch(&story), Tip { sequence: wrong, ..last }).await.unwrap_err();
        let LedgerError::Conflict { stream, expected, actual } = refused else { panic!("{refused}") };
        assert_eq!((stream, expected, actual), (story.run.clone().into(), wrong.saturating_add(1), 2));
    }
    assert_eq!(fixture.rows().await.len(), 2);
}

pub async fn a_batch_behind_another_event_is_refused<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let last = before(&ledger, &story.run.clone().into(), 3).await;
    let other = Tip { hash: Digest32::of(b"another"), ..last };
    let refused = ledger.append_all(&batch(&story), other).await.unwrap_err();
    let LedgerError::Diverged { stream, sequence } = refused else { panic!("{refused}") };
    assert_eq!((stream, sequence), (story.run.clone().into(), 2));
    assert_eq!(fixture.rows().await.len(), 2);
}

pub async fn a_batch_with_a_used_id_is_not_recorded_at_all<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let (story, other) = (Story::new("run 1"), Story::new("run 2"));
    story.begin(&ledger).await;
    other.begin(&ledger).await;
    let used = append(&ledger, &other.blocked(), 3).await.unwrap().event.id;
    let tip = before(&ledger, &story.run.clone().into(), 3).await;
    let mut events = batch(&story);
    events[2].id = used;
    let refused = ledger.append_all(&events, tip).await.unwrap_err();
    assert!(matches!(refused, LedgerError::IdReused(id) if id == used), "{refused}");

    events[2].id = events[0].id;
    let refused = ledger.append_all(&events, tip).await.unwrap_err();
    assert!(matches!(refused, LedgerError::Refused { .. }), "{refused}");
    assert_eq!(fixture.rows().await.len(), 5);

    events[2].id = fresh_id();
    ledger.append_all(&events, tip).await.unwrap();
}

pub async fn a_batch_with_what_others_write_is_not_recorded_at_all<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let tip = before(&ledger, &story.run.clone().into(), 3).await;
    let control = Event { stream: StreamId::Control, ..story.blocked() };
    let strangers =
        [story.proposed(), story.merge_started(), story.abandoned(), control.clone(), Story::new("run 2").blocked()];
    for stranger in strangers {
        let refused = ledger.append_all(&[story.tested(), stranger], tip).await.unwrap_err();
        assert!(matches!(refused, LedgerError::Refused { .. }), "{refused}");
    }
    let refused = ledger.append_all(&[control], Tip::START).await.unwrap_err();
    assert!(matches!(refused, LedgerError::Refused { .. }), "{refused}");
    let payload = serde_json::json!({"half": 0.5});
    let unknown = UnknownEvent { event_type: "later".to_owned(), stage: "later".to_owned(), schema: 2, payload };
    let formless = story.event(EventBody::Unknown(unknown));
    let refused = ledger.append_all(&[story.tested(), formless], tip).await.unwrap_err();
    assert!(matches!(refused, LedgerError::Event(_)), "{refused}");
    assert_eq!(fixture.rows().await.len(), 2);
}

pub async fn a_batch_of_which_a_part_is_recorded_is_refused<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let (events, stream) = (batch(&story), StreamId::from(story.run.clone()));
    append(&ledger, &events[0], 3).await.unwrap();
    for number in [3, 4] {
        let refused = ledger.append_all(&events, before(&ledger, &stream, number).await).await.unwrap_err();
        assert!(matches!(refused, LedgerError::Refused { .. }), "{refused}");
    }
    assert_eq!(fixture.rows().await.len(), 3);
    ledger.append_all(&events[1..], before(&ledger, &stream, 4).await).await.unwrap();
}

pub async fn a_batch_ends_its_run<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let (open, over) = (Story::new("run 1"), Story::new("run 2"));
    for story in [&open, &over] {
        story.begin(&ledger).await;
    }
    let ends = [open.run.clone().into(), over.run.clone().into()];
    ledger.append_all(&[open.tested(), open.blocked()], before(&ledger, &ends[0], 3).await).await.unwrap();
    ledger.append_all(&[over.tested(), over.failed()], before(&ledger, &ends[1], 3).await).await.unwrap();
    assert_eq!(ledger.open_runs().await.unwrap(), [open.run]);
}

pub async fn the_same_batch_at_once_is_recorded_once<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let (events, tip) = (batch(&story), before(&ledger, &story.run.clone().into(), 3).await);
    let answers = join_all((0..8).map(|_| {
        let (ledger, events) = (Arc::clone(&ledger), events.clone());
        tokio::spawn(async move { ledger.append_all(&events, tip).await.unwrap() })
    }))
    .await;
    let recorded: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    assert!(recorded.iter().all(|one| *one == recorded[0]));
    assert_eq!(ledger.stream_events(&story.run.into()).await.unwrap().len(), 5);
}

pub async fn one_of_eight_batches_wins<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let tip = before(&ledger, &story.run.clone().into(), 3).await;
    let answers = join_all((0..8).map(|_| {
        let (ledger, events) = (Arc::clone(&ledger), batch(&story));
        tokio::spawn(async move { ledger.append_all(&events, tip).await })
    }))
    .await;
    let mut winners = 0;
    for answer in answers {
        match answer.unwrap() {
            Ok(recorded) => {
                assert!(recorded.iter().map(|one| one.sequence).eq(3..6));
                winners += 1;
            }
            Err(LedgerError::Conflict { expected, actual, .. }) => assert_eq!((expected, actual), (3, 5)),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(winners, 1);
    assert_eq!(ledger.stream_events(&story.run.into()).await.unwrap().len(), 5);
}
