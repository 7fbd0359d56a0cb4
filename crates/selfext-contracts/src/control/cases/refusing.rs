use std::sync::Arc;

use selfext_domain::ports::{
    AcceptedHistory, ControlError, Ledger, MergeGrant, PauseRequest, PromotionControl, ResumeRequest,
};
use selfext_domain::{CONTROL_KEY, ControlState, EventId, Reason, Refusal, guard_pause, malformed_examples};

use crate::control::{pause_request, resume_request};
use crate::ledger::{LedgerFixture, Story, append, begin_merge, fresh_id, granted, refused};

pub async fn a_pause_refuses_grants_and_reopening<F: LedgerFixture>() {
    let fixture = F::start().await;
    let scene = Scene::new(&fixture).await;
    scene.control.pause(&pause_request("the release is cut")).await.unwrap();
    for refusal in scene.refusals().await {
        assert_eq!(refusal.reason, Reason::PromotionPaused);
        assert!(refusal.detail.contains("the release is cut") && refusal.detail.contains("ops"), "{refusal}");
    }
    scene.control.resume(&resume_request()).await.unwrap();
    for (story, permit) in &scene.merging {
        assert_eq!(granted(scene.ledger.reopen_merge(&story.run, *permit).await.unwrap()).0.terms().id, *permit);
    }
    for story in &scene.waiting {
        let _ = granted(begin_merge(&scene.ledger, &story.merge_started(), 3).await.unwrap());
    }
}

pub async fn a_pause_that_allows_rollbacks_lets_them_alone_pass<F: LedgerFixture>() {
    let fixture = F::start().await;
    let scene = Scene::new(&fixture).await;
    scene.control.pause(&PauseRequest { allow_rollbacks: true, ..pause_request("deploy") }).await.unwrap();
    let [(merging, own), (rolling, rollbacks_own)] = &scene.merging;
    let [waiting, rollback] = &scene.waiting;
    let refusals = [
        refused(begin_merge(&scene.ledger, &waiting.merge_started(), 3).await.unwrap()),
        refused(scene.ledger.reopen_merge(&merging.run, *own).await.unwrap()),
    ];
    assert_eq!(refusals.map(|refusal| refusal.reason), [Reason::PromotionPaused; 2]);
    let event = rollback.merge_started();
    let first = granted(begin_merge(&scene.ledger, &event, 3).await.unwrap());
    assert_eq!(granted(scene.ledger.reopen_merge(&rollback.run, event.id).await.unwrap()), first);
    assert_eq!(
        granted(scene.ledger.reopen_merge(&rolling.run, *rollbacks_own).await.unwrap()).0.terms().id,
        *rollbacks_own
    );
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
    let rollback = Story::new("target").into_base("taken").land_and_be_taken_back(&ledger, "rollback").await;
    let mut next = [3, 3];
    for value in values {
        fixture.set_state(CONTROL_KEY, Some(&value)).await;
        let reading = control.read().await;
        for (next, (story, rollback)) in next.iter_mut().zip([(&story, false), (&rollback, true)]) {
            let expected = guard_pause(reading.as_ref(), rollback).map_err(|refusal| refusal.reason);
            let found = match begin_merge(&ledger, &story.merge_started(), *next).await.unwrap() {
                MergeGrant::Granted(..) => {
                    append(&ledger, &story.blocked(), *next + 1).await.unwrap();
                    *next += 2;
                    Ok(())
                }
                MergeGrant::Refused(refusal) => Err(refusal.reason),
            };
            assert_eq!(found, expected.map(|_| ()), "{value} {rollback}");
        }
    }
    assert!(next[0] > 3 && next[1] > next[0], "{next:?}");
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
            let grant = begin_merge(&ledger, &story.merge_started(), next).await.unwrap();
            assert_eq!(matches!(grant, MergeGrant::Refused(_)), paused, "{kill_switch:?}");
            if !paused {
                append(&ledger, &story.blocked(), next + 1).await.unwrap();
                next += 2;
            }
            assert_eq!(fixture.state("kill_switch").await, before);
        }
    }
}

/// Open permits, and runs that would like one: of each an ordinary run and a rollback, in branches of their own.
struct Scene {
    ledger: Arc<dyn Ledger>,
    control: Arc<dyn PromotionControl>,
    merging: [(Story, EventId); 2],
    waiting: [Story; 2],
}

impl Scene {
    async fn new(fixture: &impl LedgerFixture) -> Self {
        let (ledger, control) = fixture.ports();
        let (merging, waiting) = (Story::new("merging"), Story::new("waiting").into_base("develop"));
        let (permit, _) = merging.begin_merging(&ledger).await;
        waiting.begin(&ledger).await;
        let rolling = Story::new("first").into_base("first").land_and_be_taken_back(&ledger, "rolling").await;
        let (own, _) = granted(begin_merge(&ledger, &rolling.merge_started(), 3).await.unwrap());
        let rollback = Story::new("second").into_base("second").land_and_be_taken_back(&ledger, "rollback").await;
        Self {
            ledger,
            control,
            merging: [(merging, permit.terms().id), (rolling, own.terms().id)],
            waiting: [waiting, rollback],
        }
    }

    /// What is said to each of them, where none may pass.
    async fn refusals(&self) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        for story in &self.waiting {
            refusals.push(refused(begin_merge(&self.ledger, &story.merge_started(), 3).await.unwrap()));
            assert_eq!(self.ledger.stream_events(&story.run.clone().into()).await.unwrap().len(), 2);
        }
        for (story, permit) in &self.merging {
            refusals.push(refused(self.ledger.reopen_merge(&story.run, *permit).await.unwrap()));
        }
        refusals
    }

    async fn nothing_passes(&self, reason: Reason) {
        let reasons: Vec<_> = self.refusals().await.into_iter().map(|refusal| refusal.reason).collect();
        assert_eq!(reasons, [reason; 4]);
    }
}
