use std::time::Duration;

use selfext_domain::Position;
use selfext_domain::ports::LedgerError;
use serde_json::Value;

use crate::ledger::{LedgerFixture, Story, append};

pub async fn the_database_refuses_to_change_what_is_recorded<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    Story::new("run 1").begin(&ledger).await;
    let before = fixture.rows().await;
    let everywhere = [
        "UPDATE self_extension_events SET written_by = 'nobody'",
        "UPDATE self_extension_events SET sequence = 9 WHERE sequence = 2",
        "DELETE FROM self_extension_events",
        "DELETE FROM self_extension_events WHERE sequence = 2",
        "INSERT INTO self_extension_events (content, sequence) SELECT content, sequence FROM self_extension_events",
        "INSERT INTO self_extension_events (content, sequence) SELECT content, 7 FROM self_extension_events",
    ];
    for sql in everywhere.into_iter().chain(fixture.forbidden_sql()) {
        assert!(fixture.sql(sql).await.is_err(), "{sql}");
        assert_eq!(fixture.rows().await, before, "{sql}");
    }
}

pub async fn an_edited_content_is_found<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    fixture
        .sql_past_triggers(
            "UPDATE self_extension_events SET content = replace(content, 'make it faster', 'make it slower') WHERE sequence = 1",
        )
        .await;
    let first = id_of(&fixture.rows().await[0]);
    let found = ledger.stream_events(&story.run.into()).await.unwrap_err();
    assert_names(&found, &first);
    assert_names(&ledger.latest_run(&story.subject).await.unwrap_err(), &first);
    // Followers see an event when nothing can come before it any more.
    let mut look_again = tokio::time::interval(Duration::from_millis(5));
    let found = loop {
        match ledger.read_after(Position::START, 10).await {
            Err(error) => break error,
            Ok(events) => assert!(events.is_empty()),
        }
        look_again.tick().await;
    };
    assert_names(&found, &first);
}

pub async fn a_dropped_event_is_found<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    append(&ledger, &story.blocked(), 3).await.unwrap();
    let third = id_of(&fixture.rows().await[2]);
    fixture.sql_past_triggers("DELETE FROM self_extension_events WHERE sequence = 2").await;
    assert_names(&ledger.stream_events(&story.run.clone().into()).await.unwrap_err(), &third);
    // Closing the gap leaves the chain broken.
    fixture.sql_past_triggers("UPDATE self_extension_events SET sequence = 2 WHERE sequence = 3").await;
    assert_names(&ledger.stream_events(&story.run.into()).await.unwrap_err(), &third);
}

pub async fn reordered_events_are_found<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    append(&ledger, &story.blocked(), 3).await.unwrap();
    for (from, to) in [(2, 9), (3, 2), (9, 3)] {
        let sql = format!("UPDATE self_extension_events SET sequence = {to} WHERE sequence = {from}");
        fixture.sql_past_triggers(&sql).await;
    }
    let found = ledger.stream_events(&story.run.into()).await.unwrap_err();
    assert!(matches!(found, LedgerError::Corrupt { .. }), "{found}");
}

fn id_of(row: &Value) -> String {
    row["event_id"].as_str().unwrap().to_owned()
}

fn assert_names(found: &LedgerError, event: &str) {
    let LedgerError::Corrupt { detail } = found else { panic!("{found}") };
    assert!(detail.contains(event), "{detail}");
}
