//! `events --follow`, and those who go on where another one stopped.

use rustix::process::Signal;
use selfext_contracts::TestDatabase;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::live::Live;
use crate::world::World;

fn follow(world: &World, url: &str, args: &[&str]) -> Live {
    Live::start(world.command(["--database", url, "events", "--follow"].iter().chain(args)))
}

/// Another process writes an event.
fn pause(world: &World, url: &str, reason: &str) {
    world.run(["--database", url, "pause", "--by", "op", "--reason", reason]).expect(0, &[]);
}

fn position(line: &str) -> String {
    let event: Value = serde_json::from_str(line).unwrap();
    event["position"].as_str().unwrap().to_owned()
}

/// Follows, stops, and goes on behind what it saw last.
fn every_event_is_seen_once(world: &World, url: &str) {
    pause(world, url, "the first");
    let mut follower = follow(world, url, &["--json"]);
    follower.wait_for("the first");
    pause(world, url, "the second");
    let stopped = position(&follower.wait_for("the second"));
    follower.signal(Signal::TERM);
    let (code, seen) = follower.end();
    assert_eq!((code, seen.lines().count()), (Some(0), 2), "{seen}");

    pause(world, url, "the third");
    let mut follower = follow(world, url, &["--json", "--run", "control", "--after", &stopped]);
    follower.wait_for("the third");
    pause(world, url, "the fourth");
    follower.wait_for("the fourth");
    follower.signal(Signal::INT);
    let (code, seen) = follower.end();
    assert_eq!((code, seen.lines().count()), (Some(0), 2), "{seen}");

    for run in [&[][..], &["--run", "control"]] {
        let behind = world.run(["--database", url, "events", "--after", &stopped].iter().chain(run)).expect(0, &[]);
        assert_eq!(behind.stdout.lines().count(), 2, "{behind:?}");
    }
}

#[test]
fn what_other_processes_write_to_a_file_is_followed_and_gone_on_with() {
    let world = World::new();
    let url = format!("sqlite://{}", world.path("followed.db").display());
    every_event_is_seen_once(&world, &url);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_other_processes_write_to_a_server_is_followed_and_gone_on_with() {
    let (world, database) = (World::new(), TestDatabase::create().await);
    every_event_is_seen_once(&world, database.url());
    database.drop().await;
}

#[test]
fn a_file_that_is_gone_is_waited_for_which_is_said_once() {
    let world = World::new();
    let (file, away) = (world.path("followed.db"), world.path("away.db"));
    let url = format!("sqlite://{}", file.display());
    pause(&world, &url, "the first");
    let mut follower = follow(&world, &url, &[]);
    follower.wait_for("the first");
    std::fs::rename(&file, &away).unwrap();
    follower.wait_for("the file is gone; waiting for it");
    std::fs::rename(&away, &file).unwrap();
    follower.wait_for("the ledger answers again");
    pause(&world, &url, "the second");
    follower.wait_for("the second");
    follower.signal(Signal::INT);
    let (code, seen) = follower.end();
    assert_eq!((code, seen.lines().count()), (Some(0), 4), "{seen}");
}

#[test]
fn a_file_that_took_the_place_of_the_followed_one_ends_it() {
    let world = World::new();
    let (file, other) = (world.path("followed.db"), world.path("other.db"));
    let url = format!("sqlite://{}", file.display());
    pause(&world, &url, "the first");
    let mut follower = follow(&world, &url, &[]);
    follower.wait_for("the first");
    pause(&world, &format!("sqlite://{}", other.display()), "another ledger's");
    std::fs::rename(&other, &file).unwrap();
    follower.wait_for("another file was put in its place");
    let (code, seen) = follower.end();
    assert!(code == Some(1) && !seen.contains("another ledger's"), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_out_of_reach_is_waited_for_which_is_said_once() {
    let (world, database) = (World::new(), TestDatabase::create().await);
    let mut server = PgConnection::connect(database.server_url()).await.unwrap();
    let name = database.name();
    pause(&world, database.url(), "the first");
    let mut follower = follow(&world, database.url(), &[]);
    follower.wait_for("the first");
    let shut = format!(r#"ALTER DATABASE "{name}" ALLOW_CONNECTIONS false"#);
    let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    for sql in [shut, end] {
        server.execute(AssertSqlSafe(sql)).await.unwrap();
    }
    follower.wait_for("waiting for it, nothing is lost");
    server.execute(AssertSqlSafe(format!(r#"ALTER DATABASE "{name}" ALLOW_CONNECTIONS true"#))).await.unwrap();
    pause(&world, database.url(), "the second");
    // Said before the event is printed, but on another pipe.
    follower.wait_for("the second");
    follower.signal(Signal::INT);
    let (code, seen) = follower.end();
    assert!(code == Some(0) && seen.lines().count() == 4 && seen.contains("the ledger answers again"), "{seen}");
    database.drop().await;
}

#[test]
fn a_position_that_is_none_or_is_not_there_is_refused() {
    let world = World::new();
    pause(&world, &format!("sqlite://{}", world.ledger().display()), "the first");
    for odd in ["7", "1.2.3", "x.1", "1.", "+1.2"] {
        world.run(["events", "--follow", "--after", odd]).expect(2, &["two numbers with a dot"]);
    }
    let ran = world.run(["events", "--follow", "--after", "0.7"]).expect(1, &["no event at the position 0.7"]);
    assert!(ran.stdout.is_empty(), "{ran:?}");
}
