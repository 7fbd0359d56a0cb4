//! A database that has another history than the accepted one.

use selfext_contracts::PrivateCluster;
use selfext_contracts::control::{pause_request, resume_request};
use selfext_contracts::ledger::{LedgerFixture, Story, begin_merge, fresh_id, granted, operator, refused};
use selfext_domain::ports::{AcceptedHistory, ControlError, PromotionControl, ResumeRequest};
use selfext_domain::{CONTROL_KEY, ControlState, EventBody, History, HistoryAccepted, HistoryChange, Reason, StreamId};

use crate::fixture::{PgFixture, connect, migrated};

/// As if the server had taken a new timeline: the accepted history is another one from now on.
async fn change_history(fixture: &PgFixture) {
    fixture
        .sql(
            "UPDATE agent_state SET value = value || '{\"history\": \"earlier\"}'
             WHERE key = 'self_extension:promotion_control'",
        )
        .await
        .unwrap();
}

async fn history(fixture: &PgFixture) -> History {
    History::parse(fixture.ask("SELECT self_extension_history()").await.unwrap().unwrap()).unwrap()
}

fn accepting(history: &str) -> AcceptedHistory {
    AcceptedHistory { event: fresh_id(), history: History::parse(history).unwrap() }
}

#[tokio::test]
async fn the_history_names_the_server_and_its_timeline() {
    let fixture = PgFixture::start().await;
    let stored = fixture.state(CONTROL_KEY).await.unwrap();
    assert_eq!(stored["history"], history(&fixture).await.as_str());
    let expected = "SELECT system_identifier || '/' || timeline_id FROM pg_control_system(), pg_control_checkpoint()";
    assert_eq!(fixture.ask(expected).await.unwrap().as_deref(), Some(history(&fixture).await.as_str()));
}

#[tokio::test]
async fn a_role_without_rights_reads_the_history() {
    let fixture = PgFixture::start().await;
    let told = "CREATE ROLE nobody_in_particular; SET LOCAL ROLE nobody_in_particular; SELECT self_extension_history()";
    let told = fixture.ask(&format!("BEGIN; {told}")).await.unwrap();
    assert_eq!(told.as_deref(), Some(history(&fixture).await.as_str()));
}

#[tokio::test]
async fn a_changed_history_refuses_until_an_operator_resumes_which_is_recorded() {
    let fixture = PgFixture::start().await;
    let (ledger, control) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    change_history(&fixture).await;
    assert!(matches!(control.read().await, Err(ControlError::HistoryChanged(_))));
    let refusal = refused(begin_merge(&ledger, &story.merge_started(), 3).await.unwrap());
    assert_eq!(refusal.reason, Reason::HistoryChanged);

    // A pause keeps the accepted history, and does not say that nothing can merge.
    let answer = control.pause(&pause_request("deploy")).await.unwrap();
    let change = answer.history.clone().unwrap();
    assert_eq!(change.accepted.unwrap().as_str(), "earlier");
    assert_eq!(change.found, Some(history(&fixture).await));
    assert!(answer.in_flight.is_empty() && !answer.nothing_can_merge());

    // A resume that does not name the history, or names another, changes nothing.
    for accept in [None, Some(accepting("earlier"))] {
        let refused = control.resume(&ResumeRequest { accept, ..resume_request() }).await.unwrap_err();
        assert!(matches!(refused, ControlError::HistoryChanged(_)), "{refused}");
        assert!(matches!(control.read().await, Ok(ControlState::Paused(_))));
    }
    let accept = accepting(history(&fixture).await.as_str());
    let request = ResumeRequest { accept: Some(accept.clone()), ..resume_request() };
    let answer = control.resume(&request).await.unwrap();
    assert_eq!(control.read().await.unwrap(), ControlState::Running);
    let events = ledger.stream_events(&StreamId::Control).await.unwrap();
    let accepted = HistoryAccepted { by: operator("ops"), history: history(&fixture).await };
    assert_eq!(events[1].event.body, EventBody::HistoryAccepted(accepted));
    assert_eq!((events[1].event.id, events[2].event.id), (accept.event, request.event));
    let _ = granted(begin_merge(&ledger, &story.merge_started(), 3).await.unwrap());

    // The same again accepts nothing anew, and a pause is certain again.
    assert_eq!(control.resume(&request).await.unwrap().event, answer.event);
    assert_eq!(ledger.stream_events(&StreamId::Control).await.unwrap().len(), 3);
    assert_eq!(control.pause(&pause_request("deploy")).await.unwrap().history, None);
}

#[tokio::test]
async fn a_session_that_lies_to_itself_about_its_history_is_granted_nothing() {
    let fixture = PgFixture::start().await;
    change_history(&fixture).await;
    let name = fixture.database.name();
    fixture.sql(&format!("ALTER DATABASE \"{name}\" SET selfext.history = 'earlier'")).await.unwrap();

    let store = connect(fixture.database.url()).await;
    let (ledger, control) = (store.ledger(), store.control());
    assert_eq!(control.read().await.unwrap(), ControlState::Running);
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let refusal = refused(begin_merge(&ledger, &story.merge_started(), 3).await.unwrap());
    assert_eq!(refusal.reason, Reason::HistoryChanged);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL's programs on this machine, which a run in a container does not; CI runs it"]
async fn a_session_that_outlives_a_takeover_reads_the_new_history() {
    let primary = PrivateCluster::start().await.unwrap();
    let before = migrated(primary.url()).await.control();
    assert_eq!(before.read().await.unwrap(), ControlState::Running);
    let standby = primary.standby().await.unwrap();
    standby.caught_up().await.unwrap();

    // A store on the standby asks on one connection, before and after it takes over.
    let control = connect(standby.url()).await.control();
    let change = history_change(&*control).await;
    assert_eq!(change.found, None, "what only replays has no history of its own");
    primary.kill().await.unwrap();
    standby.promote().await.unwrap();
    for _ in 0..2 {
        let change = history_change(&*control).await;
        let (accepted, found) = (change.accepted.unwrap(), change.found.unwrap());
        assert_eq!((timeline(&accepted), timeline(&found)), ("1", "2"));
    }
}

async fn history_change(control: &dyn PromotionControl) -> HistoryChange {
    match control.read().await {
        Err(ControlError::HistoryChanged(change)) => change,
        other => panic!("{other:?}"),
    }
}

fn timeline(history: &History) -> &str {
    history.as_str().split_once('/').unwrap().1
}

#[tokio::test]
async fn resuming_what_runs_accepts_a_changed_history_too() {
    let fixture = PgFixture::start().await;
    let (ledger, control) = fixture.ports();
    change_history(&fixture).await;
    let accept = Some(accepting(history(&fixture).await.as_str()));
    let answer = control.resume(&ResumeRequest { accept, ..resume_request() }).await.unwrap();
    assert_eq!(answer.event.sequence, 2);
    assert_eq!(control.read().await.unwrap(), ControlState::Running);
    assert_eq!(ledger.stream_events(&StreamId::Control).await.unwrap().len(), 2);
}
