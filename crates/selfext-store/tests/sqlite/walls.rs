//! What the file itself refuses, whoever asks, and what a caller that stops waiting leaves behind.

use std::sync::Arc;

use selfext_contracts::ledger::{LedgerFixture, Story, append};
use selfext_domain::{Event, Link};

use crate::fixture::SqliteFixture;

/// Inserts an event by hand.
async fn insert(
    fixture: &SqliteFixture,
    event: &Event,
    sequence: i64,
    link: Link,
    created_at: Option<&str>,
) -> Result<(), String> {
    let sql =
        "INSERT INTO self_extension_events (sequence, content, written_by, content_hash, prev_hash, hash, created_at)
               VALUES (?1, ?2, 'x', ?3, ?4, ?5, coalesce(?6, strftime('%Y-%m-%dT%H:%M:%fZ', 'now')))";
    sqlx::query(sql)
        .bind(sequence)
        .bind(event.to_content().unwrap())
        .bind(link.content_hash.as_bytes().as_slice())
        .bind(link.prev_hash.as_bytes().as_slice())
        .bind(link.hash.as_bytes().as_slice())
        .bind(created_at)
        .execute(&mut fixture.connection().await)
        .await
        .map(|_| ())
        .map_err(|error| error.to_string())
}

#[tokio::test]
async fn broken_rows_are_refused_by_constraints_that_have_names() {
    let fixture = SqliteFixture::start().await;
    let (ledger, _) = fixture.ports();
    let (story, other) = (Story::new("run 1"), Story::new("run 2"));
    story.begin(&ledger).await;
    other.begin(&ledger).await;
    let last = append(&ledger, &story.blocked(), 3).await.unwrap();
    let next = |event: &Event| Link::new(last.link.hash, event.to_content().unwrap().as_bytes());
    let (event, merge, unbegun) = (story.blocked(), story.merge_started(), Story::new("unbegun").merge_started());
    let genesis = Link::new(Link::GENESIS, b"x");
    let table = [
        (insert(&fixture, &event, 5, next(&event), None).await, "self_extension_events_no_gap"),
        (insert(&fixture, &event, 0, next(&event), None).await, "self_extension_events_no_gap"),
        (insert(&fixture, &event, 3, next(&event), None).await, "self_extension_events_stream_key"),
        (insert(&fixture, &last.event, 4, next(&last.event), None).await, "self_extension_events_event_id_key"),
        (insert(&fixture, &event, 4, genesis, None).await, "self_extension_events_linked"),
        (
            insert(&fixture, &event, 4, next(&event), Some("1999-01-01T00:00:00.000Z")).await,
            "self_extension_events_now",
        ),
        (insert(&fixture, &unbegun, 1, genesis, None).await, "self_extension_events_merge_of_open_run"),
    ];
    for (outcome, name) in table {
        let message = outcome.unwrap_err();
        assert!(message.contains(name), "{message} is not {name}");
    }
    insert(&fixture, &merge, 4, next(&merge), None).await.unwrap();
    let before = ledger.stream_events(&other.run.clone().into()).await.unwrap();
    let second = other.merge_started();
    let link = Link::new(before[1].link.hash, second.to_content().unwrap().as_bytes());
    let message = insert(&fixture, &second, 3, link, None).await.unwrap_err();
    assert!(message.contains("self_extension_open_runs.repository"), "{message}");
}

#[tokio::test]
async fn a_caller_that_stops_waiting_leaves_no_lock_behind() {
    let fixture = SqliteFixture::start().await;
    let (ledger, control) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    for (patience, next) in (3..63).enumerate() {
        let event = story.blocked();
        let task = {
            let (ledger, event) = (Arc::clone(&ledger), event.clone());
            tokio::spawn(async move { append(&ledger, &event, next).await.map(|_| ()) })
        };
        for _ in 0..patience {
            tokio::task::yield_now().await;
        }
        task.abort();
        // Recorded or not: asking again tells, and nothing keeps others from writing.
        assert_eq!(append(&ledger, &event, next).await.unwrap().sequence, next);
        control.read().await.unwrap();
    }
    assert_eq!(ledger.stream_events(&story.run.into()).await.unwrap().len(), 62);
}
