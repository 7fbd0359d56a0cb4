use std::sync::Arc;

use selfext_domain::ports::{
    AcceptedHistory, ControlError, Ledger, MergeGrant, PauseRequest, PromotionControl, ResumeRequest,
};
use selfext_domain::{CONTROL_KEY, ControlState, EventId, Reason, guard_pause, malformed_examples};

use crate::control::{pause_request, resume_request};
use crate::ledger::{LedgerFixture, Story, append, begin_merge, fresh_id, granted, refused};

pub async fn a_pause_refuses_grants_and_reopening<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, control) = fixture.ports();
    let (merging, waiting) = (Story::new("merging"), Story::new("waiting").into_base("develop"));
    let (permit, _) = merging.begin_merging(&ledger).await;
    waiting.begin(&ledger).await;
    control.pause(&pause_request("the release is cut")).await.unwrap();
    for rollback in [false, true] {
        let refusals = [
            refused(begin_merge(&ledger, &waiting.merge_started(), 3, rollback).await.unwrap()),
            refused(ledger.reopen_merge(&merging.run, permit.terms().id, rollback).await.unwrap()),
        ];
        for refusal in refusals {
            assert_eq!(refusal.reason, Reason::PromotionPaused);
            assert!(refusal.detail.contains("the release is cut") && refusal.detail.contains("ops"), "{refusal}");
        }
    }
    control.resume(&resume_request()).await.unwrap();
    assert_eq!(granted(ledger.reopen_merge(&merging.run, permit.terms().id, false).await.unwrap()).0, permit);
    let _ = granted(begin_merge(&ledger, &waiting.merge_started(), 3, false).await.unwrap());
}

pub async fn a_pause_that_allows_rollbacks_lets_them_alone_pass<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, control) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    control.pause(&PauseRequest { allow_rollbacks: true, ..pause_request("deploy") }).await.unwrap();
    let event = story.merge_started();
    assert_eq!(refused(begin_merge(&ledger, &event, 3, false).await.unwrap()).reason, Reason::PromotionPaused);
    let first = granted(begin_merge(&ledger, &event, 3, true).await.unwrap());
    assert_eq!(
        refused(ledger.reopen_merge(&story.run, event.id, false).await.unwrap()).reason,
        Reason::PromotionPaused
    );
    assert_eq!(granted(ledger.reopen_merge(&story.run, event.id, true).await.unwrap()), first);
}

pub async fn a_missing_row_refuses_everything<F: LedgerFixture>() {
    let fixture = F::start().await;
    let scene = Scene::new(&fixture).await;
    fixture.set_state(CONTROL_KEY, None).await;
    assert!(matches!(scene.control.read().await, Err(ControlError::Missing)));
    assert!(matches!(scene.control.resume(&resume_request()).await, Err(ControlError::Missing)));
    scene.nothing_passes(Reason::ControlMissing).await;
    assert_eq!(fixture.state(CONTROL_KEY).await, None);
}

pub async fn a_malformed_row_refuses_everything<F: LedgerFixture>() {
    let fixture = F::start().await;
    let scene = Scene::new(&fixture).await;
    let lists = ["[1,false]", "[1,true,\"ops\",\"why\",true]"].map(str::to_owned);
    for value in malformed_examples().iter().map(ToString::to_string).chain(lists) {
        fixture.set_state(CONTROL_KEY, Some(&value)).await;
        let before = fixture.state(CONTROL_KEY).await;
        assert!(matches!(scene.control.read().await, Err(ControlError::Malformed(_))), "{value}");
        assert!(matches!(scene.control.resume(&resume_request()).await, Err(ControlError::Malformed(_))), "{value}");
        scene.nothing_passes(Reason::ControlMalformed).await;
        assert_eq!(fixture.state(CONTROL_KEY).await, before, "{value}");
    }
}

pub async fn a_row_of_another_history_refuses_everything_but_a_pause<F: LedgerFixture>() {
    let fixture = F::start().await;
    let scene = Scene::new(&fixture).await;
    let another = [
        r#"{"version":1,"paused":false,"history":"another"}"#,
        r#"{"version":1,"paused":true,"by":"ops","reason":"why","allow_rollbacks":true,"history":"another"}"#,
    ];
    for value in another {
        fixture.set_state(CONTROL_KEY, Some(value)).await;
        let read = scene.control.read().await.unwrap_err();
        assert!(matches!(read, ControlError::HistoryChanged(_)), "{read}");
        scene.nothing_passes(Reason::HistoryChanged).await;
    }
    scene.control.pause(&pause_request("deploy")).await.unwrap();
    assert!(matches!(scene.control.read().await, Ok(ControlState::Paused(_))));
    scene.nothing_passes(Reason::PromotionPaused).await;
}

pub async fn the_database_reads_the_control_as_the_domain_does<F: LedgerFixture>() {
    let named = |name: &str| {
        let name = serde_json::Value::from(name);
        format!(r#"{{"version":1,"paused":true,"by":{name},"reason":"why","allow_rollbacks":true}}"#)
    };
    let mut values: Vec<String> = malformed_examples().iter().map(ToString::to_string).collect();
    let names = [
        "ops",
        "Jörg",
        "a b",
        "🦀",
        " ops",
        "ops ",
        "\u{a0}ops",
        "ops\u{3000}",
        "o\u{200b}ps",
        "o\u{7f}ps",
        "o\nps",
        "o\u{e0001}ps",
        "o\u{fe0f}",
        "␛␛",
        "␛",
        "␛0",
        "␛␛␛0",
        "\u{202f}",
        "\u{180b}x",
        "x\u{feff}",
    ];
    values.extend(names.map(named));
    for (length, unit) in [(128, "x"), (129, "x"), (128, "ü"), (129, "ü"), (128, "␛␛"), (129, "␛␛")] {
        values.push(named(&unit.repeat(length)));
    }
    let others = [
        r#"{"version":1,"paused":false}"#,
        r#"{"version":1.0,"paused":false}"#,
        r#"{"version":1,"paused":false,"by":null,"reason":null,"allow_rollbacks":null}"#,
        r#"{"version":1,"paused":false,"extra":null}"#,
        r#"{"version":1,"paused":false,"allow_rollbacks":false}"#,
        r#"{"version":1,"paused":true,"by":"ops","reason":"why","allow_rollbacks":false}"#,
        r#"{"version":1,"paused":true,"by":"ops","reason":"","allow_rollbacks":true}"#,
        r#"{"version":1,"paused":true,"by":"ops","reason":"␛","allow_rollbacks":true}"#,
        r#"{"version":1,"paused":true,"by":"ops","reason":"␛1","allow_rollbacks":true}"#,
        r#"{"version":1,"paused":true,"by":"ops","reason":"␛0␛␛","allow_rollbacks":true}"#,
        r#"{"version":1,"paused":true,"by":"ops","reason":null,"allow_rollbacks":true}"#,
        r#"{"version":1,"paused":true,"by":"ops","reason":7,"allow_rollbacks":true}"#,
        r#"{"version":1,"paused":true,"by":["ops"],"reason":"why","allow_rollbacks":true}"#,
        r#"{"version":1,"paused":true,"by":"ops","reason":"why","allow_rollbacks":"true"}"#,
        r#"{"version":-1,"paused":false}"#,
        r#"{"version":1,"paused":[false]}"#,
        r#"{"version":18446744073709551617,"paused":false}"#,
    ];
    values.extend(others.map(str::to_owned));

    let fixture = F::start().await;
    let (ledger, control) = fixture.ports();
    // Each also under the accepted history, where the database has one.
    if let Some(history) = fixture.state(CONTROL_KEY).await.unwrap().get("history") {
        let with_history = |value: &String| {
            let open = value.strip_suffix('}').filter(|open| *open != "{")?;
            Some(format!("{open},\"history\":{history}}}"))
        };
        let under_it: Vec<String> = values.iter().filter_map(with_history).collect();
        values.extend(under_it);
    }
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let mut next = 3;
    for value in values {
        fixture.set_state(CONTROL_KEY, Some(&value)).await;
        let reading = control.read().await;
        for rollback in [false, true] {
            let expected = guard_pause(reading.as_ref(), rollback).map_err(|refusal| refusal.reason);
            let found = match begin_merge(&ledger, &story.merge_started(), next, rollback).await.unwrap() {
                MergeGrant::Granted(..) => {
                    append(&ledger, &story.blocked(), next + 1).await.unwrap();
                    next += 2;
                    Ok(())
                }
                MergeGrant::Refused(refusal) => Err(refusal.reason),
            };
            assert_eq!(found, expected.map(|_| ()), "{value} {rollback}");
        }
    }
}

pub async fn starting_again_never_heals_a_deleted_row<F: LedgerFixture>() {
    let fixture = F::start().await;
    fixture.set_state(CONTROL_KEY, None).await;
    for _ in 0..2 {
        let (_, control) = fixture.another().await;
        assert!(matches!(control.read().await, Err(ControlError::Missing)));
    }
    assert_eq!(fixture.state(CONTROL_KEY).await, None);
}

pub async fn a_pause_heals_a_missing_and_a_malformed_row<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (_, control) = fixture.ports();
    for value in [None, Some("{}")] {
        fixture.set_state(CONTROL_KEY, value).await;
        let answer = control.pause(&pause_request("mended")).await.unwrap();
        assert!(matches!(control.read().await, Ok(ControlState::Paused(_))));
        // Which history was accepted is lost with the row, where the database has one: it is accepted anew.
        let found = answer.history.and_then(|change| change.found);
        let accept = found.map(|history| AcceptedHistory { event: fresh_id(), history });
        control.resume(&ResumeRequest { accept, ..resume_request() }).await.unwrap();
        assert!(matches!(control.read().await, Ok(ControlState::Running)));
    }
}

pub async fn a_kill_switch_is_neither_read_nor_written<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, control) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let mut next = 3;
    for kill_switch in
        [None, Some("true"), Some("false"), Some("{\"version\":1,\"paused\":true}"), Some("\"nonsense\"")]
    {
        fixture.set_state("kill_switch", kill_switch).await;
        let before = fixture.state("kill_switch").await;
        for paused in [true, false] {
            if paused {
                control.pause(&pause_request("deploy")).await.unwrap();
            } else {
                control.resume(&resume_request()).await.unwrap();
            }
            let grant = begin_merge(&ledger, &story.merge_started(), next, false).await.unwrap();
            assert_eq!(matches!(grant, MergeGrant::Refused(_)), paused, "{kill_switch:?}");
            if !paused {
                append(&ledger, &story.blocked(), next + 1).await.unwrap();
                next += 2;
            }
            assert_eq!(fixture.state("kill_switch").await, before);
        }
    }
}

/// An open permit, and a run that would like one.
struct Scene {
    ledger: Arc<dyn Ledger>,
    control: Arc<dyn PromotionControl>,
    permit: EventId,
    merging: Story,
    waiting: Story,
}

impl Scene {
    async fn new(fixture: &impl LedgerFixture) -> Self {
        let (ledger, control) = fixture.ports();
        let (merging, waiting) = (Story::new("merging"), Story::new("waiting").into_base("develop"));
        let (permit, _) = merging.begin_merging(&ledger).await;
        waiting.begin(&ledger).await;
        Self { ledger, control, permit: permit.terms().id, merging, waiting }
    }

    async fn nothing_passes(&self, reason: Reason) {
        for rollback in [false, true] {
            let event = self.waiting.merge_started();
            assert_eq!(refused(begin_merge(&self.ledger, &event, 3, rollback).await.unwrap()).reason, reason);
            assert_eq!(
                refused(self.ledger.reopen_merge(&self.merging.run, self.permit, rollback).await.unwrap()).reason,
                reason
            );
        }
        assert_eq!(self.ledger.stream_events(&self.waiting.run.clone().into()).await.unwrap().len(), 2);
    }
}
