//! A database that may have lost its last commits.

use selfext_contracts::TestDatabase;
use sqlx::{Connection as _, PgConnection};

use crate::world::{RULES, World};

/// As if the server had taken a new timeline; answers the one that it has.
async fn change_history(database: &TestDatabase) -> String {
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    let change = "UPDATE agent_state SET value = value || '{\"history\": \"earlier\"}'
                  WHERE key = 'self_extension:promotion_control'";
    sqlx::query(change).execute(&mut connection).await.unwrap();
    sqlx::query_scalar("SELECT self_extension_history()").fetch_one(&mut connection).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_history_blocks_leaves_a_pause_in_doubt_and_is_accepted_by_name_after_a_sweep() {
    let (world, database) = (World::with_agent(RULES), TestDatabase::create().await);
    let run = |args: &[&str]| world.run(["--database", database.url()].iter().chain(args));
    let found = change_history(&database).await;
    let change = format!("the database's history is {found}, and the accepted one is earlier");

    let accepts = &*format!("`selfext resume --by NAME --accept-history {found}` accepts the new history");
    run(&["status"]).expect(0, &[&format!("promotion is blocked: {change}"), "lost its last commits", accepts]);
    let status = run(&["status", "--json"]).json();
    assert_eq!(status["control"]["state"], "history-changed", "{status}");
    assert_eq!(status["control"]["history"], serde_json::json!({"accepted": "earlier", "found": found}));
    let (agent, from) = (world.agent(), world.write("x", "second\n"));
    let file = format!("agent.txt={from}");
    let promote = ["promote", "--local", &agent, "--message", "m", "--file", &file];
    run(&promote).expect(3, &["blocked: history-changed", "selfext sweep", "--accept-history"]);

    for args in [&["pause", "--reason", "r", "--by", "op"][..], &["pause", "--reason", "r", "--by", "op", "--wait"]] {
        let ran = run(args).expect(5, &["cannot be listed", "selfext sweep", accepts]);
        let first = format!("paused; but {change}: merges of the lost part may still happen, and cannot be listed\n");
        assert!(ran.stdout.starts_with(&first) && !ran.stdout.contains("nothing can merge"), "{ran:?}");
    }
    let json = run(&["pause", "--reason", "r", "--by", "op", "--json"]).expect(5, &[]).json();
    assert_eq!(
        (&json["nothing_can_merge"], &json["history"]["accepted"]),
        (&false.into(), &"earlier".into()),
        "{json}"
    );

    world.git(["branch", "selfext/write/left-over", "main~0"]);
    world.git(["commit", "-q", "--allow-empty", "-m", "moves on"]);
    let swept =
        run(&["sweep", "--by", "op", "--local", &agent]).expect(5, &["selfext/write/left-over: NOT FENCED OFF"]);
    assert!(swept.stdout.contains("not selfext's"), "somebody else's commit is left alone: {swept:?}");
    world.git(["branch", "-D", "selfext/write/left-over"]);
    let swept = run(&["sweep", "--by", "op", "--local", &agent]).expect(0, &[accepts]);
    assert!(swept.stdout.starts_with("paused; nothing that selfext published in this repository can merge any more\n"));

    for args in [&["resume", "--by", "op"][..], &["resume", "--by", "op", "--accept-history", "earlier"]] {
        run(args).expect(1, &["nothing was resumed", &change, accepts]);
    }
    run(&["resume", "--by", "op", "--accept-history", "not one"]).expect(2, &["history"]);
    let ran = run(&["resume", "--by", "op", "--accept-history", &found]).expect(0, &[]);
    assert_eq!(ran.stdout, "resumed; promotion runs\n");
    let events = run(&["events", "--run", "control"]);
    events.expect(0, &[&format!("the database's new history {found} accepted by op")]);
    run(&promote).expect(0, &["promoted: "]);
    database.drop().await;
}
