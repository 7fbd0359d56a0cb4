//! Followers, and what may happen to a server and to the connections to it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use selfext_contracts::ledger::{LedgerFixture, Story};
use selfext_contracts::{PgProxy, PrivateCluster};
use selfext_domain::ports::{Follower, Ledger, LedgerError};
use selfext_domain::{Position, RecordedEvent};
use sqlx::postgres::PgListener;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tokio::time::timeout;

use crate::fixture::{PgFixture, connect, migrated};

/// So rarely that no test sees it.
const NEVER: Duration = Duration::from_hours(1);

/// So often that a test can wait for it.
const OFTEN: Duration = Duration::from_millis(20);

/// Reads until so many events were given, whatever fails on the way. Answers also how often that was.
async fn given(follower: &mut Box<dyn Follower>, wanted: usize) -> (Vec<RecordedEvent>, usize) {
    let reading = async {
        let (mut seen, mut failures) = (Vec::new(), 0);
        while seen.len() < wanted {
            match follower.next().await {
                Ok(events) => seen.extend(events),
                Err(LedgerError::Unavailable(_)) => failures += 1,
                Err(error) => panic!("{error}"),
            }
        }
        (seen, failures)
    };
    timeout(Duration::from_mins(1), reading).await.expect("the follower gives everything in the end")
}

async fn next(follower: &mut Box<dyn Follower>) -> Result<Vec<RecordedEvent>, LedgerError> {
    timeout(Duration::from_mins(1), follower.next()).await.expect("the follower answers")
}

async fn propose(ledger: &Arc<dyn Ledger>, name: &str) -> RecordedEvent {
    ledger.propose(&Story::new(name).proposed(), None).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_cut_lose_and_repeat_nothing() {
    let fixture = PgFixture::start().await;
    let (ledger, _) = fixture.ports();
    let proxy = PgProxy::start(fixture.database.url()).await;
    let mut follower = connect(proxy.url()).await.polling_every(NEVER).ledger().follow(Position::START);
    let mut written = Vec::new();
    let mut seen = Vec::new();
    for number in 0..20 {
        written.push(propose(&ledger, &format!("before {number}")).await);
        proxy.cut_connections();
        written.push(propose(&ledger, &format!("after {number}")).await);
        if number % 3 == 0 {
            seen.extend(given(&mut follower, written.len() - seen.len()).await.0);
        }
    }
    seen.extend(given(&mut follower, written.len() - seen.len()).await.0);
    assert_eq!(seen, written);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_out_of_reach_is_told_and_waited_for() {
    let fixture = PgFixture::start().await;
    let (ledger, _) = fixture.ports();
    let proxy = PgProxy::start(fixture.database.url()).await;
    let mut follower = connect(proxy.url()).await.polling_every(OFTEN).ledger().follow(Position::START);
    let first = propose(&ledger, "run 1").await;
    assert_eq!(given(&mut follower, 1).await.0, [first]);

    proxy.go_down_before(1);
    let mut written = Vec::new();
    for number in 2..5 {
        assert!(matches!(next(&mut follower).await, Err(LedgerError::Unavailable(_))));
        written.push(propose(&ledger, &format!("run {number}")).await);
    }
    proxy.disarm();
    assert_eq!(given(&mut follower, 3).await.0, written);

    // Where nothing is new, it still says that it can be read again.
    proxy.go_down_before(1);
    assert!(matches!(next(&mut follower).await, Err(LedgerError::Unavailable(_))));
    proxy.disarm();
    let mut back = next(&mut follower).await;
    while back.is_err() {
        back = next(&mut follower).await;
    }
    assert!(back.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_that_write_much_tell_seldom() {
    let fixture = PgFixture::start().await;
    let (ledger, _) = fixture.ports();
    let mut listener = PgListener::connect(fixture.database.url()).await.unwrap();
    listener.listen("selfext_events").await.unwrap();
    let begin = Instant::now();
    join_all((0..8).map(|writer| {
        let ledger = Arc::clone(&ledger);
        tokio::spawn(async move {
            for run in 0..50 {
                propose(&ledger, &format!("run {run} of writer {writer}")).await;
            }
        })
    }))
    .await
    .into_iter()
    .for_each(Result::unwrap);
    // Whatever the last write has to tell is told within this.
    listener.recv().await.unwrap();
    let mut told = 1;
    fixture.ask("NOTIFY selfext_events, 'the end'").await.unwrap();
    while listener.recv().await.unwrap().payload() != "the end" {
        told += 1;
    }
    let gaps = begin.elapsed().as_millis() / 20;
    assert!(told <= gaps + 1, "{told} notifications in {gaps} gaps");
    println!("400 writes, {told} notifications");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_does_not_fail_where_nobody_can_be_told() {
    let fixture = PgFixture::start().await;
    let (ledger, _) = fixture.ports();
    let mut follower = fixture.ledger_polling_every(OFTEN).follow(Position::START);
    propose(&ledger, "run 0").await;
    // A connection that rests is all that there is from here on.
    let mut server = PgConnection::connect(fixture.database.server_url()).await.unwrap();
    let name = fixture.database.name();
    server.execute(AssertSqlSafe(format!(r#"ALTER DATABASE "{name}" ALLOW_CONNECTIONS false"#))).await.unwrap();
    let kill = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND application_name = 'selfext wakes'"
    );
    server.execute(AssertSqlSafe(kill)).await.unwrap();
    for number in 1..5 {
        propose(&ledger, &format!("run {number}")).await;
    }
    assert_eq!(given(&mut follower, 5).await.0.len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_follower_does_not_go_on_under_another_history() {
    let fixture = PgFixture::start().await;
    let (ledger, _) = fixture.ports();
    let mut follower = fixture.ledger_polling_every(OFTEN).follow(Position::START);
    propose(&ledger, "run 1").await;
    assert_eq!(given(&mut follower, 1).await.0.len(), 1);
    let other =
        "CREATE OR REPLACE FUNCTION public.self_extension_history() RETURNS text LANGUAGE sql AS $$ SELECT '1/2' $$";
    fixture.ask(other).await.unwrap();
    propose(&ledger, "run 2").await;
    for _ in 0..2 {
        let error = next(&mut follower).await.unwrap_err();
        assert!(matches!(error, LedgerError::OtherHistory { .. }) && error.to_string().contains("1/2"), "{error}");
    }
    // Who follows anew has looked at what is there.
    assert_eq!(given(&mut ledger.follow(Position::START), 2).await.0.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL's programs on this machine, which a run in a container does not; CI runs it"]
async fn a_server_that_crashes_and_comes_back_is_followed_on() {
    let cluster = PrivateCluster::start().await.unwrap();
    let store = migrated(cluster.url()).await;
    let mut follower = store.clone().polling_every(NEVER).ledger().follow(Position::START);
    let ledger = store.ledger();
    let mut written = Vec::new();
    for number in 0..3 {
        written.push(propose(&ledger, &format!("before {number}")).await);
        let (seen, _) = given(&mut follower, 1).await;
        assert_eq!(seen, written[written.len() - 1..]);
        // It waits while the server is down, too.
        let (crashed, (seen, _)) = tokio::join!(
            async {
                cluster.crash_and_restart().await.unwrap();
                propose(&ledger, &format!("after {number}")).await
            },
            given(&mut follower, 1)
        );
        assert_eq!(seen, std::slice::from_ref(&crashed));
        written.push(crashed);
    }
    assert_eq!(given(&mut ledger.follow(Position::START), 6).await.0, written);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL's programs on this machine, which a run in a container does not; CI runs it"]
async fn a_follower_does_not_go_on_behind_a_failover() {
    let primary = PrivateCluster::start().await.unwrap();
    let ledger = migrated(primary.url()).await.ledger();
    let standby = primary.standby().await.unwrap();
    let kept = propose(&ledger, "kept").await;
    standby.caught_up().await.unwrap();
    standby.cut_off().await.unwrap();

    let proxy = PgProxy::start(primary.url()).await;
    let followed = connect(proxy.url()).await.polling_every(OFTEN).ledger();
    // One has given what is lost, and one has not: neither knows what else it gave that is not there any more.
    let (mut one, mut other) = (followed.follow(Position::START), followed.follow(Position::START));
    assert_eq!(given(&mut other, 1).await.0, std::slice::from_ref(&kept));
    let lost = propose(&ledger, "lost").await;
    assert_eq!(given(&mut one, 2).await.0, [kept.clone(), lost.clone()]);
    primary.kill().await.unwrap();
    standby.promote().await.unwrap();
    proxy.lead_to(standby.url());
    for follower in [&mut one, &mut other] {
        let error = loop {
            match next(follower).await {
                Err(LedgerError::Unavailable(_)) => {}
                Err(error) => break error,
                Ok(events) => panic!("{events:?}"),
            }
        };
        assert!(matches!(error, LedgerError::OtherHistory { .. }), "{error}");
    }
    // An operator who looked at what is there follows on, and not behind what is not there.
    let anew = connect(standby.url()).await.ledger();
    let next_event = propose(&anew, "new").await;
    assert_eq!(given(&mut anew.follow(kept.position), 1).await.0, [next_event]);
    let refused = next(&mut anew.follow(lost.position)).await;
    assert!(matches!(refused, Err(LedgerError::OtherHistory { .. })), "{refused:?}");
}
