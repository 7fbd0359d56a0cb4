//! What the database itself refuses or sets right, whoever asks.

use std::time::Duration;

use selfext_contracts::ledger::{LedgerFixture, Story, append, commit_of};
use selfext_domain::{CONTROL_KEY, Event, RecordedEvent};
use sqlx::AssertSqlSafe;
use sqlx::error::DatabaseError;

use crate::fixture::PgFixture;

/// Inserts an event by hand, with more columns than a client should send.
async fn insert(
    fixture: &PgFixture,
    event: &Event,
    sequence: u64,
    columns: &str,
    values: &str,
) -> Result<(), sqlx::Error> {
    let sql = format!("INSERT INTO self_extension_events (content, sequence{columns}) VALUES ($1, $2{values})");
    sqlx::query(AssertSqlSafe(sql))
        .bind(event.to_content().unwrap())
        .bind(i64::try_from(sequence).unwrap())
        .execute(&mut fixture.connection().await)
        .await
        .map(|_| ())
}

fn constraint(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error().and_then(|error| error.constraint())
}

#[tokio::test]
async fn whatever_a_client_sends_what_is_derived_is_right() {
    let fixture = PgFixture::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let event = story.blocked();
    let columns = ", transaction_id, event_id, run_id, event_type, repository, payload, written_by, created_at, content_hash, hash";
    let values = ", '7', '00000000-0000-0000-0000-000000000001', 'other', 'promoted', 'x/y', '{}', 'somebody', '1999-01-01', \
                  'a', 'c'";
    insert(&fixture, &event, 3, columns, values).await.unwrap();
    let events: Vec<RecordedEvent> = ledger.stream_events(&story.run.into()).await.unwrap();
    let [_, before, forged] = &events[..] else { panic!("{events:?}") };
    assert_eq!(forged.event, event);
    assert_eq!(forged.link.prev_hash, before.link.hash);
    assert_eq!(forged.written_by, before.written_by);
    assert!(forged.recorded_at >= before.recorded_at);
    assert!(forged.position > before.position);
}

#[tokio::test]
async fn broken_rows_are_refused_by_constraints_that_have_names() {
    let fixture = PgFixture::start().await;
    let (ledger, _) = fixture.ports();
    let (story, other) = (Story::new("run 1"), Story::new("run 2"));
    story.begin(&ledger).await;
    other.begin(&ledger).await;
    let blocked = story.blocked();
    let again = append(&ledger, &blocked, 3).await.unwrap().event;
    let table = [
        (insert(&fixture, &story.blocked(), 5, "", "").await, "self_extension_events_no_gap"),
        (insert(&fixture, &story.blocked(), 0, "", "").await, "self_extension_events_no_gap"),
        (insert(&fixture, &story.blocked(), 3, "", "").await, "self_extension_events_stream_key"),
        (insert(&fixture, &again, 4, "", "").await, "self_extension_events_event_id_key"),
        (insert(&fixture, &story.blocked(), 4, ", prev_hash", ", 'another'").await, "self_extension_events_linked"),
        (
            insert(&fixture, &Story::new("new").proposed(), 1, ", prev_hash", ", ''").await,
            "self_extension_events_linked",
        ),
        (
            insert(&fixture, &Story::new("unbegun").merge_started(), 1, "", "").await,
            "self_extension_events_merge_of_open_run",
        ),
    ];
    for (outcome, name) in table {
        assert_eq!(constraint(&outcome.unwrap_err()), Some(name));
    }
    // Past the control, a second merge into the branch is still one too many.
    insert(&fixture, &story.merge_started(), 4, "", "").await.unwrap();
    let second = insert(&fixture, &other.merge_started(), 3, "", "").await.unwrap_err();
    assert_eq!(constraint(&second), Some("self_extension_open_permits_base"));
    let update = fixture.ask("UPDATE self_extension_events SET id = DEFAULT").await.unwrap_err();
    assert_eq!(constraint(&update), Some("self_extension_events_append_only"));
}

#[tokio::test]
async fn the_open_runs_are_not_written_by_hand() {
    let fixture = PgFixture::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    let _ = story.begin_merging(&ledger).await;
    for sql in [
        "DELETE FROM self_extension_open_runs",
        "UPDATE self_extension_open_runs SET permit = NULL",
        "INSERT INTO self_extension_open_runs (run_id, proposed) VALUES ('x', 1)",
        "TRUNCATE self_extension_open_runs",
        "SET session_replication_role = replica; DELETE FROM self_extension_open_runs",
    ] {
        let refused = fixture.ask(sql).await.unwrap_err();
        assert_eq!(constraint(&refused), Some("self_extension_open_runs_derived"), "{sql}");
    }
    assert_eq!(ledger.open_permits().await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_watched_runs_and_baselines_are_not_written_by_hand() {
    let fixture = PgFixture::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.land(&ledger, true).await;
    for table in ["self_extension_watched_runs", "self_extension_baselines"] {
        for sql in [
            "DELETE FROM TABLE",
            "UPDATE TABLE SET event = 0",
            "INSERT INTO TABLE SELECT * FROM TABLE",
            "TRUNCATE TABLE",
            "SET session_replication_role = replica; DELETE FROM TABLE",
        ] {
            let sql = sql.replace("TABLE", table).replace("TRUNCATE", "TRUNCATE TABLE");
            let refused = fixture.ask(&sql).await.unwrap_err();
            assert_eq!(constraint(&refused), Some(&*format!("{table}_derived")), "{sql}");
        }
    }
    let day = Duration::from_hours(24);
    let standing = ledger.health_standing(&story.subject.repository, &story.subject.base, day).await.unwrap();
    assert_eq!((standing.watched, standing.baseline), (vec![story.run], Some(commit_of('a'))));
    // A replica's session has the triggers, too.
    let replica = "SET session_replication_role = replica;
        INSERT INTO self_extension_events (content, sequence)
        SELECT replace(replace(e.content, '\"promoted\"', '\"health_window_passed\"'), e.event_id::text, gen_random_uuid()::text), 5
        FROM self_extension_events e WHERE e.event_type = 'promoted'";
    fixture.ask(replica).await.unwrap();
    assert_eq!(
        fixture.ask("SELECT count(*)::text FROM self_extension_watched_runs").await.unwrap().as_deref(),
        Some("0")
    );
}

fn code(error: &sqlx::Error) -> Option<String> {
    error.as_database_error().and_then(DatabaseError::code).map(std::borrow::Cow::into_owned)
}

#[tokio::test]
async fn the_functions_keep_to_their_own_kind_of_event() {
    let fixture = PgFixture::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let (merge, blocked, proposed) = (story.merge_started(), story.blocked(), Story::new("run 2").proposed());
    for (call, event) in [
        ("self_extension_append($1, $2, $3, 3, NULL)", &merge),
        ("self_extension_begin_merge($1, $2, $3, 3, NULL, 'acme/agent', 'main', 1)", &blocked),
        ("self_extension_append($1, 'another', $3, 1, NULL)", &proposed),
        ("self_extension_append(gen_random_uuid(), 'run 2', $3, 1, NULL)", &proposed),
    ] {
        let refused = sqlx::query(AssertSqlSafe(format!("SELECT (a).outcome FROM {call} AS a WHERE $2 <> ''")))
            .bind(event.id.as_uuid())
            .bind(story.run.as_str())
            .bind(event.to_content().unwrap())
            .fetch_all(&mut fixture.connection().await)
            .await;
        // By the function itself, not because there is none of that form.
        assert_eq!(code(&refused.unwrap_err()).as_deref(), Some("23514"), "{call}");
    }
    assert_eq!(fixture.rows().await.len(), 2);
}

#[tokio::test]
async fn the_functions_decide_in_read_committed_alone() {
    let fixture = PgFixture::start().await;
    for call in [
        "self_extension_propose(gen_random_uuid(), 'r', '{}', 'a/b', 'main', 'f', NULL)",
        "self_extension_begin_merge(gen_random_uuid(), 'r', '{}', 1, NULL, 'a/b', 'main', 1)",
        "self_extension_acquire_lease('watch', 'one', 1)",
        "self_extension_pause(gen_random_uuid(), '{}', '{}')",
        "self_extension_resume(gen_random_uuid(), '{}', '{}', NULL, gen_random_uuid(), NULL)",
    ] {
        let refused =
            fixture.ask(&format!("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT {call}::text")).await.unwrap_err();
        assert_eq!(code(&refused).as_deref(), Some("25000"), "{call}");
    }
    assert!(fixture.state(CONTROL_KEY).await.is_some());
}

#[tokio::test]
async fn an_event_is_durable_though_the_client_would_not_wait() {
    let fixture = PgFixture::start().await;
    let content = Story::new("run 1").proposed().to_content().unwrap().replace('\'', "''");
    let sql = format!(
        "BEGIN; SET LOCAL synchronous_commit = off;
         INSERT INTO self_extension_events (content, sequence) VALUES ('{content}', 1); SHOW synchronous_commit"
    );
    assert_eq!(fixture.ask(&sql).await.unwrap().as_deref(), Some("on"));
}
