use selfext_domain::ports::{ControlError, PauseRequest, ResumeRequest};
use selfext_domain::{
    ActorSource, CONTROL_KEY, ControlState, CorrelationId, EventBody, PromotionPauseChanged, StreamId,
};

use crate::control::{pause_request, resume_request};
use crate::ledger::{LedgerFixture, Story, append, operator};

pub async fn a_fresh_database_runs<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, control) = fixture.ports();
    assert_eq!(control.read().await.unwrap(), ControlState::Running);
    let mut stored = fixture.state(CONTROL_KEY).await.unwrap();
    // Where the database has a history, the one that it has now is the accepted one.
    stored.as_object_mut().unwrap().remove("history");
    assert_eq!(stored, serde_json::json!({"version": 1, "paused": false}));
    assert!(ledger.stream_events(&StreamId::Control).await.unwrap().is_empty());
}

pub async fn a_pause_is_read_back_and_recorded<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, control) = fixture.ports();
    let request = PauseRequest { allow_rollbacks: true, ..pause_request("deploy") };
    let answer = control.pause(&request).await.unwrap();
    assert!(answer.in_flight.is_empty() && answer.still_paused && answer.nothing_can_merge());

    let ControlState::Paused(pause) = control.read().await.unwrap() else { panic!("it runs") };
    assert_eq!((pause.by, pause.reason.as_str(), pause.allow_rollbacks), (operator("ops"), "deploy", true));
    let apart = (pause.since - answer.event.recorded_at).abs();
    assert!(apart < chrono::Duration::seconds(1), "{apart}");

    let event = &answer.event.event;
    assert_eq!((event.id, &event.stream, answer.event.sequence), (request.event, &StreamId::Control, 1));
    assert_eq!(event.correlation_id, CorrelationId::parse("control").unwrap());
    assert_eq!(event.actor_source, ActorSource::operator());
    assert_eq!((&event.context, &event.subject, event.pull_request), (&None, &None, None));
    assert_eq!(
        event.body,
        EventBody::PromotionPauseChanged(PromotionPauseChanged {
            paused: true,
            by: operator("ops"),
            reason: Some("deploy".to_owned()),
            allow_rollbacks: true,
            os_user: Some("root".to_owned()),
        })
    );
    assert_eq!(ledger.stream_events(&StreamId::Control).await.unwrap(), [answer.event]);
}

pub async fn any_reason_survives<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (_, control) = fixture.ports();
    for reason in ["", "\0", "a\0␛", "␛0", "\"'\\\n\u{7f}", "Ärger 🦀"] {
        let by = operator("Jörg ␛ O'Neil");
        control.pause(&PauseRequest { by: by.clone(), ..pause_request(reason) }).await.unwrap();
        let ControlState::Paused(pause) = control.read().await.unwrap() else { panic!("it runs") };
        assert_eq!((pause.by, pause.reason.as_str()), (by, reason));
    }
    let answer = control.resume(&ResumeRequest { reason: Some("\0".to_owned()), ..resume_request() }).await.unwrap();
    assert_eq!(answer.event.sequence, 7);
}

pub async fn a_repeated_pause_is_recorded_once_and_changes_nothing<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, control) = fixture.ports();
    let request = pause_request("deploy");
    let first = control.pause(&request).await.unwrap();
    assert_eq!(control.pause(&request).await.unwrap(), first);
    control.resume(&resume_request()).await.unwrap();

    let story = Story::new("run 1");
    let (permit, _) = story.begin_merging(&ledger).await;
    let later = control.pause(&request).await.unwrap();
    assert_eq!((later.event, later.still_paused), (first.event, false), "what was resumed since promises nothing");
    assert_eq!(later.in_flight, [permit.terms().clone()]);
    assert_eq!(control.read().await.unwrap(), ControlState::Running);
    assert_eq!(ledger.stream_events(&StreamId::Control).await.unwrap().len(), 2);
}

pub async fn pausing_what_is_paused_is_a_new_pause<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, control) = fixture.ports();
    control.pause(&pause_request("first")).await.unwrap();
    control.pause(&PauseRequest { by: operator("other"), ..pause_request("second") }).await.unwrap();
    let ControlState::Paused(pause) = control.read().await.unwrap() else { panic!("it runs") };
    assert_eq!((pause.by, pause.reason.as_str()), (operator("other"), "second"));
    assert_eq!(ledger.stream_events(&StreamId::Control).await.unwrap().len(), 2);
}

pub async fn an_id_of_another_event_is_refused_and_changes_nothing<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, control) = fixture.ports();
    let story = Story::new("run 1");
    let event = ledger.propose(&story.proposed(), None).await.unwrap().event.id;
    let before = fixture.state(CONTROL_KEY).await;

    let pause = control.pause(&PauseRequest { event, ..pause_request("deploy") }).await.unwrap_err();
    assert!(matches!(pause, ControlError::IdReused(id) if id == event), "{pause}");
    let resume = control.resume(&ResumeRequest { event, ..resume_request() }).await.unwrap_err();
    assert!(matches!(resume, ControlError::IdReused(id) if id == event), "{resume}");
    assert_eq!(fixture.state(CONTROL_KEY).await, before);

    let used = control.pause(&pause_request("deploy")).await.unwrap().event.event.id;
    let resume = control.resume(&ResumeRequest { event: used, ..resume_request() }).await.unwrap_err();
    assert!(matches!(resume, ControlError::IdReused(id) if id == used), "{resume}");
    assert!(matches!(control.read().await.unwrap(), ControlState::Paused(_)));
}

pub async fn a_resume_is_recorded_and_frees<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, control) = fixture.ports();
    control.pause(&pause_request("deploy")).await.unwrap();
    let request = resume_request();
    let answer = control.resume(&request).await.unwrap();
    assert_eq!(control.resume(&request).await.unwrap(), answer);
    assert_eq!(control.read().await.unwrap(), ControlState::Running);
    assert_eq!((answer.event.event.id, answer.event.sequence), (request.event, 2));
    assert_eq!(
        answer.event.event.body,
        EventBody::PromotionPauseChanged(PromotionPauseChanged {
            paused: false,
            by: operator("ops"),
            reason: Some("all is well".to_owned()),
            allow_rollbacks: false,
            os_user: None,
        })
    );
    let _ = Story::new("run 1").begin_merging(&ledger).await;

    // A repeated resume does not end a later pause.
    control.pause(&pause_request("again")).await.unwrap();
    control.resume(&request).await.unwrap();
    assert!(matches!(control.read().await.unwrap(), ControlState::Paused(_)));
}

pub async fn resuming_what_runs_records_the_wish_and_changes_nothing<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, control) = fixture.ports();
    let before = fixture.state(CONTROL_KEY).await;
    let answer = control.resume(&resume_request()).await.unwrap();
    assert_eq!(answer.event.sequence, 1);
    assert_eq!(fixture.state(CONTROL_KEY).await, before);
    assert_eq!(ledger.stream_events(&StreamId::Control).await.unwrap(), [answer.event]);
}

pub async fn the_answers_tell_the_open_permits<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, control) = fixture.ports();
    let (first, second) = (Story::new("first"), Story::new("second").into_base("develop"));
    let mut open = Vec::new();
    for story in [&first, &second] {
        open.push(story.begin_merging(&ledger).await.0.terms().clone());
    }
    assert_eq!(control.pause(&pause_request("deploy")).await.unwrap().in_flight, open);
    append(&ledger, &first.promoted(), 4).await.unwrap();
    assert_eq!(control.pause(&pause_request("deploy")).await.unwrap().in_flight, open[1..]);
    // A fence has not taken the merge away yet.
    append(&ledger, &second.fenced(open[1].id), 4).await.unwrap();
    assert_eq!(control.resume(&resume_request()).await.unwrap().in_flight, open[1..]);
    append(&ledger, &second.failed(), 5).await.unwrap();
    assert!(control.resume(&resume_request()).await.unwrap().in_flight.is_empty());
}
