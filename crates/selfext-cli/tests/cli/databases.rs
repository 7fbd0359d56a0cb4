//! The ledger's database.

use selfext_contracts::TestDatabase;

use crate::world::{RULES, World};

#[test]
fn a_sqlite_ledger_is_made_at_first_use_and_may_be_migrated_again() {
    let world = World::new();
    assert!(!world.ledger().exists());
    world.run(["status"]).expect(0, &["promotion runs"]);
    assert!(world.ledger().exists());
    let url = format!("sqlite://{}", world.path("deep/down/ledger.db").display());
    let first = world.run(["migrate", "--database", &url]).expect(0, &["is at schema "]);
    assert_eq!(world.run(["migrate", "--database", &url]).stdout, first.stdout);
    let json = world.run(["migrate", "--database", &url, "--json"]).json();
    assert_eq!((&json["outcome"], &json["exit_code"], &json["database"]), (&"migrated".into(), &0.into(), &url.into()));
}

#[test]
fn the_environment_names_the_ledger_and_the_option_goes_before_it() {
    let world = World::new();
    let (one, two) = (world.path("one.db"), world.path("two.db"));
    let mut command = world.command(["status"]);
    command.env("SELFEXT_DATABASE_URL", format!("sqlite://{}", one.display()));
    crate::world::Ran::of(&mut command).expect(0, &[]);
    assert!(one.exists() && !two.exists());
    let mut command = world.command(["status", "--database", &format!("sqlite://{}", two.display())]);
    command.env("SELFEXT_DATABASE_URL", "nonsense");
    crate::world::Ran::of(&mut command).expect(0, &[]);
    assert!(two.exists() && !world.ledger().exists());
}

#[test]
fn a_wrong_address_is_refused_and_its_password_not_shown() {
    let world = World::new();
    for url in [
        "postgres://op:s3cr3t@[/db",
        "mysql://op:s3cr3t@host/db",
        "s3cr3t",
        "postgres://op:s3cr3t@127.0.0.1:1/db?sslmode=odd",
    ] {
        for args in [&["status"][..], &["migrate"], &["status", "--json"]] {
            let ran = world.run(["--database", url].iter().chain(args)).expect(2, &[]);
            assert!(!format!("{ran:?}").contains("s3cr3t"), "{ran:?}");
        }
    }
}

#[test]
fn a_server_that_does_not_answer_is_a_failure_that_shows_no_password() {
    let world = World::with_agent(RULES);
    let (agent, from) = (world.agent(), world.write("x", "second\n"));
    let file = format!("agent.txt={from}");
    let url = "postgres://op:s3cr3t@127.0.0.1:1/db?password=s3cr3t";
    for args in [
        &["status"][..],
        &["migrate"],
        &["events"],
        &["pause", "--reason", "r", "--by", "op"],
        &["promote", "--local", &agent, "--message", "m", "--file", &file],
    ] {
        let mut command = world.command(["--database", url].iter().chain(args));
        let ran = crate::world::Ran::of(command.env("SELFEXT_LOG", "trace"));
        let ran = ran.expect(1, &["cannot be reached", "postgres://op:***@127.0.0.1:1/db"]);
        assert!(!format!("{ran:?}").contains("s3cr3t"), "{ran:?}");
    }
    assert_eq!(world.on_main("agent.txt").as_deref(), Some("first\n"));
}

#[test]
fn a_file_that_is_no_ledger_is_not_written_to() {
    let world = World::new();
    world.write("notes.txt", "these are notes, and no database at all\n".repeat(50));
    world.run(["--database", "sqlite:notes.txt", "status"]).expect(1, &["notes.txt", "not a database"]);
    assert!(std::fs::read_to_string(world.path("notes.txt")).unwrap().starts_with("these are notes"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_is_not_migrated_says_how_to_and_then_works() {
    let (world, database) = (World::with_agent(RULES), TestDatabase::empty().await);
    let run = |args: &[&str]| world.run(["--database", database.url()].iter().chain(args));
    for args in [&["status"][..], &["events"], &["pause", "--reason", "r", "--by", "op"]] {
        run(args).expect(1, &["has no ledger yet", "selfext migrate"]);
    }
    run(&["migrate"]).expect(0, &["is at schema "]);
    run(&["migrate"]).expect(0, &["is at schema "]);
    run(&["pause", "--reason", "r", "--by", "op"]).expect(0, &["paused; nothing can merge until resume"]);
    let (agent, from) = (world.agent(), world.write("x", "second\n"));
    let file = format!("agent.txt={from}");
    let promote = ["promote", "--local", &agent, "--message", "m", "--file", &file];
    let blocked = run(&promote).expect(3, &["promotion-paused"]);
    run(&["resume", "--by", "op"]).expect(0, &[]);
    assert_eq!(run(&promote).expect(0, &["promoted: "]).run_id(), blocked.run_id());
    run(&["events", "--run", &blocked.run_id()]).expect(0, &["promotion_blocked", "promoted"]);
    assert!(!world.ledger().exists());
    database.drop().await;
}
