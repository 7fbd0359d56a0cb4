use selfext_domain::ports::LedgerError;
use selfext_domain::{Digest32, Event, EventBody, Link, RunId, StreamId, Tip, UnknownEvent};

use crate::ledger::{LedgerFixture, Story, append, before, begin_merge};

pub async fn an_event_reads_back_as_it_was_recorded<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    let (proposed, tested) = (story.proposed(), story.tested());
    let first = ledger.propose(&proposed, None).await.unwrap();
    let second = append(&ledger, &tested, 2).await.unwrap();

    assert_eq!((&first.event, first.sequence), (&proposed, 1));
    assert_eq!((&second.event, second.sequence), (&tested, 2));
    assert_eq!(first.content, proposed.to_content().unwrap());
    assert_eq!(first.link, Link::new(Link::GENESIS, first.content.as_bytes()));
    assert_eq!(second.link, Link::new(first.link.hash, second.content.as_bytes()));
    assert!(!first.written_by.is_empty());
    assert!(first.recorded_at <= second.recorded_at && first.position < second.position);
    assert_eq!(ledger.stream_events(&story.run.clone().into()).await.unwrap(), [first, second]);
}

pub async fn a_stream_that_is_not_there_is_empty<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    assert!(ledger.stream_events(&Story::new("none").run.into()).await.unwrap().is_empty());
    assert!(ledger.stream_events(&StreamId::Control).await.unwrap().is_empty());
    assert!(ledger.latest_run(&Story::new("none").subject).await.unwrap().is_empty());
}

pub async fn a_repeated_append_is_recorded_once<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let blocked = story.blocked();
    let recorded = append(&ledger, &blocked, 3).await.unwrap();
    append(&ledger, &story.blocked(), 4).await.unwrap();
    for sequence in [3, 4, 5, 99] {
        assert_eq!(append(&ledger, &blocked, sequence).await.unwrap(), recorded);
    }
    assert_eq!(ledger.stream_events(&story.run.into()).await.unwrap().len(), 4);
}

pub async fn an_id_with_other_content_is_refused<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let (story, other) = (Story::new("run 1"), Story::new("run 2"));
    story.begin(&ledger).await;
    other.begin(&ledger).await;
    let recorded = append(&ledger, &story.blocked(), 3).await.unwrap().event;
    for event in [Event { id: recorded.id, ..story.failed() }, Event { id: recorded.id, ..other.blocked() }] {
        let refused = append(&ledger, &event, 3).await.unwrap_err();
        assert!(matches!(refused, LedgerError::IdReused(id) if id == recorded.id), "{refused}");
    }
    let refused = ledger.propose(&Event { id: recorded.id, ..Story::new("run 3").proposed() }, None).await.unwrap_err();
    assert!(matches!(refused, LedgerError::IdReused(id) if id == recorded.id), "{refused}");
    let refused = begin_merge(&ledger, &Event { id: recorded.id, ..story.merge_started() }, 4).await.unwrap_err();
    assert!(matches!(refused, LedgerError::IdReused(id) if id == recorded.id), "{refused}");
}

pub async fn a_number_that_is_not_next_is_a_conflict<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let last = before(&ledger, &story.run.clone().into(), 3).await;
    for wrong in [0, 1, 3, 1_000, u64::MAX] {
        let refused = ledger.append(&story.blocked(), Tip { sequence: wrong, ..last }).await.unwrap_err();
        let LedgerError::Conflict { stream, expected, actual } = refused else { panic!("{refused}") };
        assert_eq!((stream, expected, actual), (story.run.clone().into(), wrong.saturating_add(1), 2));
    }
    let refused = append(&ledger, &Story::new("none").blocked(), 2).await.unwrap_err();
    assert!(matches!(refused, LedgerError::Conflict { expected: 2, actual: 0, .. }), "{refused}");
    assert_eq!(ledger.stream_events(&story.run.into()).await.unwrap().len(), 2);
}

pub async fn a_writer_that_knows_another_event_is_refused<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let last = before(&ledger, &story.run.clone().into(), 3).await;
    let other = Tip { hash: Digest32::of(b"another"), ..last };
    let refused = ledger.append(&story.blocked(), other).await.unwrap_err();
    let LedgerError::Diverged { stream, sequence } = refused else { panic!("{refused}") };
    assert_eq!((stream, sequence), (story.run.clone().into(), 2));
    ledger.append(&story.blocked(), last).await.unwrap();
}

pub async fn what_others_write_is_refused<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let disguised = UnknownEvent {
        event_type: "merge_started".to_owned(),
        stage: "promotion-merge".to_owned(),
        schema: 9,
        payload: serde_json::json!({}),
    };
    let control = Event { stream: StreamId::Control, ..story.blocked() };
    let proposed = Story::new("run 2").proposed();
    for event in [story.merge_started(), story.event(EventBody::Unknown(disguised)), control, proposed] {
        for sequence in [1, 3] {
            let refused = append(&ledger, &event, sequence).await.unwrap_err();
            assert!(matches!(refused, LedgerError::Refused { .. }), "{refused}");
        }
    }
    assert_eq!(fixture.rows().await.len(), 2);
}

pub async fn any_text_survives<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let texts = [
        "a\0b",
        "\0",
        "␛",
        "␛0␛␛\0",
        "\u{1}\u{7f}\u{85}\u{2028}",
        "\"\\/\u{8}\t\r\n",
        "Ärger 🦀 \u{10ffff}",
        "'; --",
        "%s ? $1",
    ];
    for (number, text) in texts.iter().enumerate() {
        let story = Story::new(&format!("run {number}"));
        let proposed = story.proposed_with(text);
        let abandoned = story.abandoned_because(text);
        ledger.propose(&proposed, None).await.unwrap();
        append(&ledger, &abandoned, 2).await.unwrap();
        let events = ledger.stream_events(&story.run.into()).await.unwrap();
        assert_eq!(events.iter().map(|event| &event.event).collect::<Vec<_>>(), [&proposed, &abandoned], "{text:?}");
    }
}

pub async fn any_legal_run_id_works<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let long = "ü".repeat(128);
    for name in ["1", "␛", "␛0", "a␛␛b", "'quoted\" \\", "goal/7 step 2", "CONTROLS", "%", long.as_str()] {
        let story = Story::new(name);
        let (permit, _) = story.begin_merging(&ledger).await;
        assert_eq!(permit.terms().run, story.run);
        assert_eq!(ledger.stream_events(&story.run.clone().into()).await.unwrap().len(), 3, "{name}");
        assert_eq!(ledger.latest_run(&story.subject).await.unwrap().len(), 3, "{name}");
        assert_eq!(ledger.open_runs().await.unwrap(), [RunId::parse(name).unwrap()]);
        append(&ledger, &story.promoted(), 4).await.unwrap();
        let refused = ledger.propose(&story.again("another").proposed(), None).await.unwrap_err();
        assert!(matches!(refused, LedgerError::RunExists { run } if run == story.run));
    }
}

pub async fn a_megabyte_survives<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    let event = story.proposed_with(&"0123456789abcdé\n".repeat(64 * 1024));
    let recorded = ledger.propose(&event, None).await.unwrap();
    assert!(recorded.content.len() > 1024 * 1024);
    assert_eq!(ledger.stream_events(&story.run.into()).await.unwrap(), [recorded]);
}

pub async fn an_event_of_a_later_version_survives<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let unknown = UnknownEvent {
        event_type: "teleported".to_owned(),
        stage: "warp-drive".to_owned(),
        schema: 7,
        payload: serde_json::json!({"to": ["mars", 4, {"deep": "a\0␛"}], "big": u64::MAX}),
    };
    let event = story.event(EventBody::Unknown(unknown));
    let recorded = append(&ledger, &event, 3).await.unwrap();
    assert_eq!(recorded.event, event);
    assert_eq!(ledger.stream_events(&story.run.into()).await.unwrap()[2], recorded);
}

pub async fn an_event_that_nobody_could_read_back_is_refused<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    for (event_type, schema, payload) in
        [("later", 2, serde_json::json!({"half": 0.5})), ("tested", 1, serde_json::json!({"half": "a payload"}))]
    {
        let unknown =
            UnknownEvent { event_type: event_type.to_owned(), stage: "verification".to_owned(), schema, payload };
        let event = story.event(EventBody::Unknown(unknown));
        let refused = append(&ledger, &event, 3).await.unwrap_err();
        assert!(matches!(refused, LedgerError::Event(_)), "{refused}");
        let refused =
            ledger.append_all(&[story.tested(), event], before(&ledger, &story.run.clone().into(), 3).await).await;
        assert!(matches!(refused, Err(LedgerError::Event(_))), "{refused:?}");
        assert_eq!(ledger.stream_events(&story.run.clone().into()).await.unwrap().len(), 2);
    }
}
