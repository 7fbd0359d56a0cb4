//! The server ends a statement, or the session it runs in, while it waits behind somebody else's lock.

use selfext_twin::{Fault, FaultKind, Gate};

use super::*;

/// The events of an undisturbed promotion, and the request to the forge after which each is written; the first is written
/// before any.
const WRITES: [(&str, Option<(&str, &str)>); 4] = [
    ("proposed", None),
    ("tested", Some(("GET", "/**"))),
    ("merge_started", Some(("POST", "/repos/*/*/statuses/*"))),
    ("promoted", Some(("PUT", "/repos/*/*/pulls/*/merge"))),
];

/// Lets a change come as far as the statement that writes one of its events, keeps that waiting, and disturbs it by `end`, which
/// gets a session and the waiting one's process. Then the way is free again. In turn for each of the events; `is_noticed` says
/// whether the promotion has to tell of it, where that is certain.
pub(super) async fn at_each_write(
    bench: &mut Bench,
    what: &str,
    is_noticed: Option<bool>,
    end: impl AsyncFn(&mut PgConnection, i32),
) {
    for (event, behind) in WRITES {
        let point = format!("{what} at {event}");
        let change = bench.next_change();
        let selfext = bench.fresh_selfext().await;
        // Whoever only reads is not kept waiting by it.
        let lock = "BEGIN; LOCK TABLE self_extension_events IN SHARE MODE";
        let mut foreign = bench.foreign_session().await;
        let gate = Gate::new();
        match behind {
            Some((method, path)) => {
                bench.world.twin.add_fault(Fault::on(method, path, FaultKind::Hold(gate.clone())));
            }
            None => execute(&mut foreign, lock).await,
        }
        let reached = async {
            if behind.is_some() {
                gate.arrived(1).await;
            }
        };
        let act = async {
            if behind.is_some() {
                execute(&mut foreign, lock).await;
                gate.open();
            }
            let mut session = bench.foreign_session().await;
            let waiting = wait_for_a_lock(&mut session).await;
            end(&mut session, waiting).await;
            // It may have ended with the server.
            let _ = foreign.close().await;
        };
        let (first, reached) = disturb(Box::pin(selfext.promote(&change)), reached, act).await;
        assert!(reached, "{point}: the promotion did not come so far: {first:?}");
        if let Err(error) = &first {
            println!("{point}: {}", selfext_domain::error_chain(error));
        }
        let completed = bench.complete(&selfext, &change, first, &point).await;
        assert!(is_noticed.is_none_or(|is_noticed| completed != is_noticed), "{point}");
    }
}

#[tokio::test]
async fn a_cancelled_statement_is_told_and_the_run_goes_on_when_it_is_asked_for_again() {
    let mut bench = Bench::new().await;
    let cancel = async |session: &mut PgConnection, pid| end(session, "SELECT pg_cancel_backend($1)", pid).await;
    at_each_write(&mut bench, "a cancelled statement", Some(true), cancel).await;
    bench.world.end().await;
}

#[tokio::test]
async fn a_session_that_is_ended_in_the_middle_of_a_statement_is_not_noticed() {
    let mut bench = Bench::new().await;
    let terminate = async |session: &mut PgConnection, pid| end(session, "SELECT pg_terminate_backend($1)", pid).await;
    at_each_write(&mut bench, "an ended session", Some(false), terminate).await;
    bench.world.end().await;
}

async fn end(session: &mut PgConnection, how: &'static str, pid: i32) {
    let done: bool = sqlx::query_scalar(how).bind(pid).fetch_one(session).await.unwrap();
    assert!(done, "{how}: there is no such session");
}
