//! What a connection costs, and what happens when one is lost.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use selfext_contracts::control::{pause_request, resume_request};
use selfext_contracts::ledger::{LedgerFixture, Story, append, before, commit_of, granted};
use selfext_contracts::{PgProxy, TestDatabase};
use selfext_domain::ports::{
    Archive, EventQuery, Ledger, LedgerError, LedgerRows, PromotionControl, Queries, RunQuery,
};
use selfext_domain::{Heartbeat, Position, Reporter, StreamId, Subject};
use selfext_store::{DatabaseUrl, Store, StoreError};

use crate::fixture::{PgFixture, connect};

/// Goes through every method once, and says how many round trips each took.
async fn round_trips(
    proxy: &PgProxy,
    ledger: &Arc<dyn Ledger>,
    control: &dyn PromotionControl,
    queries: &dyn Queries,
    name: &str,
) -> Vec<(&'static str, u64)> {
    let story = Story::new(name);
    let merge = story.merge_started();
    let mut counts = Vec::new();
    macro_rules! count {
        ($name:literal, $call:expr) => {
            proxy.reset();
            let _ = $call.await.unwrap();
            counts.push(($name, proxy.round_trips()));
        };
    }
    count!("propose", ledger.propose(&story.proposed(), None));
    let (run, tested) = (story.run.clone().into(), story.tested());
    let tip = before(ledger, &run, 2).await;
    count!("append", ledger.append(&tested, tip));
    let (batch, tip) = ([story.tested(), story.tested()], before(ledger, &run, 3).await);
    count!("append_all", ledger.append_all(&batch, tip));
    let tip = before(ledger, &run, 5).await;
    count!("begin_merge", ledger.begin_merge(&merge, tip));
    count!("reopen_merge", ledger.reopen_merge(&story.run, merge.id));
    count!("stream_events", ledger.stream_events(&StreamId::Control));
    count!("latest_run", ledger.latest_run(&story.subject));
    count!("time", ledger.time());
    count!("open_permits", ledger.open_permits());
    count!("open_runs", ledger.open_runs());
    let Subject { repository, base, .. } = &story.subject;
    count!("health_standing", ledger.health_standing(repository, base, Duration::from_mins(1)));
    count!("overview", queries.overview(5));
    count!("runs", queries.runs(&RunQuery { limit: 5, ..RunQuery::default() }));
    count!("events", queries.events(&EventQuery { limit: 5, ..EventQuery::default() }));
    count!("read_after", ledger.read_after(Position::START, 5));
    count!("read", control.read());
    count!("pause", control.pause(&pause_request("deploy")));
    count!("resume", control.resume(&resume_request()));
    append(ledger, &story.promoted(), 6).await.unwrap();
    counts
}

#[tokio::test]
async fn every_method_takes_the_round_trips_that_it_promises() {
    let fixture = PgFixture::start().await;
    let proxy = PgProxy::start(fixture.database.url()).await;
    let store = connect(proxy.url()).await;
    let (ledger, control) = (store.ledger(), store.control());
    round_trips(&proxy, &ledger, &*control, &*store.queries(), "cold").await;
    for (method, count) in round_trips(&proxy, &ledger, &*control, &*store.queries(), "warm").await {
        let promised = if matches!(method, "pause" | "resume") { 2 } else { 1 };
        assert_eq!(count, promised, "{method}");
    }
}

#[tokio::test]
async fn heartbeats_leases_and_waits_take_one_round_trip() {
    let fixture = PgFixture::start().await;
    let proxy = PgProxy::start(fixture.database.url()).await;
    let store = connect(proxy.url()).await;
    let (heartbeats, leases) = (store.heartbeats(), store.leases());
    let Subject { repository, base, .. } = Story::new("run 1").subject;
    let heartbeat = Heartbeat {
        repository: repository.clone(),
        base: base.clone(),
        commit: commit_of('a'),
        healthy: true,
        reporter: Reporter::parse("host 1").unwrap(),
        detail: None,
    };
    let minute = Duration::from_mins(1);
    macro_rules! count {
        ($call:expr) => {
            proxy.reset();
            let _ = $call.await.unwrap();
            // The first time, what it says is made ready, too.
            proxy.reset();
            let _ = $call.await.unwrap();
            assert_eq!(proxy.round_trips(), 1, stringify!($call));
        };
    }
    count!(heartbeats.record(&heartbeat));
    count!(heartbeats.samples(&repository, &base, DateTime::UNIX_EPOCH));
    count!(heartbeats.forget(&repository, &base, minute));
    count!(leases.acquire("watch", "one", minute));
    count!(leases.acquire("watch", "two", minute));
    count!(leases.release("watch", "one"));
    let (waits, run) = (store.waits(), Story::new("run 1").run);
    count!(waits.begin(&run, "one", "checks", minute));
    count!(waits.end(&run, "one"));
}

#[tokio::test]
async fn a_connection_that_died_while_it_rested_is_not_noticed() {
    let fixture = PgFixture::start().await;
    let proxy = PgProxy::start(fixture.database.url()).await;
    let store = connect(proxy.url()).await;
    let (ledger, control) = (store.ledger(), store.control());
    let story = Story::new("run 1");
    ledger.propose(&story.proposed(), None).await.unwrap();
    proxy.cut_connections();
    append(&ledger, &story.tested(), 2).await.unwrap();
    proxy.cut_connections();
    control.read().await.unwrap();

    let kill = "SELECT count(pg_terminate_backend(pid))::text FROM pg_stat_activity
                WHERE application_name = 'selfext' AND datname = current_database()";
    fixture.ask(kill).await.unwrap();
    control.pause(&pause_request("deploy")).await.unwrap();
    assert_eq!(ledger.stream_events(&story.run.into()).await.unwrap().len(), 2);
}

/// The rows, once there are so many: transactions of other tests hold them back for a while.
async fn all_rows(archive: &dyn Archive, count: usize) -> LedgerRows {
    loop {
        let rows = archive.rows_after(Position::START, 5).await.unwrap();
        if rows.len() == count {
            return rows;
        }
    }
}

#[tokio::test]
async fn rows_of_the_ledger_take_one_round_trip_whatever_became_of_the_connection() {
    let fixture = PgFixture::start().await;
    let proxy = PgProxy::start(fixture.database.url()).await;
    let store = connect(proxy.url()).await;
    let (ledger, archive) = (store.ledger(), store.archive());
    let story = Story::new("run 1");
    ledger.propose(&story.proposed(), None).await.unwrap();
    append(&ledger, &story.tested(), 2).await.unwrap();
    let rows = all_rows(&*archive, 2).await;
    proxy.reset();
    assert_eq!(archive.rows_after(Position::START, 5).await.unwrap(), rows);
    assert_eq!(proxy.round_trips(), 1);
    proxy.cut_connections();
    assert_eq!(archive.rows_after(Position::START, 5).await.unwrap(), rows);
    // Or the answer is lost.
    proxy.kill_after(1);
    assert_eq!(archive.rows_after(Position::START, 5).await.unwrap(), rows);
}

#[tokio::test]
async fn rows_that_are_refused_leave_no_connection_that_answers_the_next_question_with_them() {
    let fixture = PgFixture::start().await;
    let (ledger, archive) = (fixture.store.ledger(), fixture.store.archive());
    let story = Story::new("run 1");
    ledger.propose(&story.proposed(), None).await.unwrap();
    append(&ledger, &story.tested(), 2).await.unwrap();
    let rows = all_rows(&*archive, 2).await;
    fixture.ask("ALTER TABLE self_extension_events RENAME COLUMN cycle_id TO elsewhere").await.unwrap();
    let refused = archive.rows_after(Position::START, 5).await.unwrap_err();
    assert!(matches!(&refused, LedgerError::Refused { detail } if detail.contains("cycle_id")), "{refused:?}");
    fixture.ask("ALTER TABLE self_extension_events RENAME COLUMN elsewhere TO cycle_id").await.unwrap();
    assert_eq!(ledger.stream_events(&story.run.into()).await.unwrap().len(), 2);
    assert_eq!(archive.rows_after(Position::START, 5).await.unwrap(), rows);
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_and_nothing_is_written_twice() {
    let fixture = PgFixture::start().await;
    let proxy = PgProxy::start(fixture.database.url()).await;
    let store = connect(proxy.url()).await;
    let (ledger, control) = (store.ledger(), store.control());
    let story = Story::new("run 1").into_base("develop");
    let run = story.run.clone().into();
    // A statement that is new to its connection is prepared first; make them all known.
    round_trips(&proxy, &ledger, &*control, &*store.queries(), "warm").await;

    proxy.kill_after(1);
    ledger.propose(&story.proposed(), None).await.unwrap();
    round_trips(&proxy, &ledger, &*control, &*store.queries(), "warm again").await;
    let tip = before(&ledger, &run, 2).await;
    proxy.kill_after(1);
    ledger.append(&story.tested(), tip).await.unwrap();
    round_trips(&proxy, &ledger, &*control, &*store.queries(), "and again").await;
    let tip = before(&ledger, &run, 3).await;
    proxy.kill_after(1);
    let event = story.merge_started();
    let (permit, recorded) = granted(ledger.begin_merge(&event, tip).await.unwrap());
    assert_eq!((permit.terms().id, recorded.sequence), (event.id, 3));
    let changes = ledger.stream_events(&StreamId::Control).await.unwrap().len();
    round_trips_of_control(&*control).await;
    proxy.kill_after(1);
    assert_eq!(control.pause(&pause_request("deploy")).await.unwrap().in_flight, [permit.terms().clone()]);
    assert_eq!(ledger.stream_events(&StreamId::Control).await.unwrap().len(), changes + 3);
    assert_eq!(ledger.stream_events(&story.run.into()).await.unwrap().len(), 3);
}

async fn round_trips_of_control(control: &dyn PromotionControl) {
    control.pause(&pause_request("warm")).await.unwrap();
    control.resume(&resume_request()).await.unwrap();
}

#[tokio::test]
async fn a_caller_that_stops_waiting_gets_the_same_permit_when_it_asks_again() {
    let fixture = PgFixture::start().await;
    let proxy = PgProxy::start(fixture.database.url()).await;
    let store = connect(proxy.url()).await;
    let (ledger, control) = (store.ledger(), store.control());
    round_trips(&proxy, &ledger, &*control, &*store.queries(), "warm").await;
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let event = story.merge_started();

    let tip = before(&ledger, &story.run.clone().into(), 3).await;
    proxy.hold_after(1);
    tokio::select! {
        _ = ledger.begin_merge(&event, tip) => panic!("the answer is held"),
        () = proxy.struck() => {}
    }
    proxy.disarm();
    let (permit, recorded) = granted(ledger.begin_merge(&event, tip).await.unwrap());
    assert_eq!((permit.terms().id, recorded.sequence), (event.id, 3));
    assert_eq!(ledger.stream_events(&story.run.into()).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_and_the_password_is_not_shown() {
    let database = TestDatabase::empty().await;
    let mut url = url::Url::parse(database.url()).unwrap();
    url.set_password(Some("s3cr3t")).unwrap();
    // No one listens on a port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(port)).unwrap();
    let error = Store::connect(&DatabaseUrl::parse(url.as_str()).unwrap()).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    let mut told = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(error) = source {
        told = format!("{told} {error} {error:?}");
        source = error.source();
    }
    assert!(told.contains("***") && !told.contains("s3cr3t"), "{told}");
}
