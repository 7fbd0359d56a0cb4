//! GitHub's limits, which one token has for everything that is done with it.

use std::time::Duration;

use futures::future::join_all;
use futures::join;
use selfext::{BranchName, Budget, DatabaseUrl};
use selfext_twin::Limits;

use crate::world::*;

const PROMOTIONS: usize = 50;

/// Fast enough for a test, and faster than the twin allows.
const BUDGET: Budget = Budget {
    writes_per_minute: 2_400,
    write_burst: 5,
    reads_per_minute: 12_000,
    read_burst: 50,
    reserve: 0,
    max_wait: Duration::from_mins(2),
};

const WINDOW: Duration = Duration::from_secs(3);

/// The most that `BUDGET` lets through in one window.
const MOST_WRITES: usize = 5 + 40 * 3;

/// How long a request may be on its way that was sent before the limit was known.
const UNDER_WAY: Duration = Duration::from_millis(1_500);

#[tokio::test]
async fn fifty_promotions_on_one_token_keep_its_limits_and_all_end() {
    let world = World::new(Backend::Postgres).await;
    let database = DatabaseUrl::parse(&world.ledger_url()).unwrap();
    let mut agents = Vec::new();
    for number in 0..PROMOTIONS {
        // Each on a base of its own, so that none has to wait for another's merge.
        let base = format!("agents/{number}");
        world.git(&["branch", &base, "main"]);
        let cache = world.folder().join("cache");
        let agent = unopened(&world.api(), &world.bare, cache, database.clone())
            .base(BranchName::parse(base).unwrap())
            .github_budget(BUDGET);
        agents.push(agent.open().await.unwrap());
    }
    let limits = Limits { window: WINDOW, requests: 300, writes: 100, says_how_long: true };
    // However slow the machine is, the first writes are too many.
    world.twin.set_limits(Some(Limits { writes: 3, ..limits }));
    world.twin.clear_exchanges();
    let change = change("second\n");
    let (outcomes, ()) = join!(join_all(agents.iter().map(|agent| agent.promote(&change))), async {
        world.twin.wait_for(|exchange| exchange.status == Some(403)).await;
        world.twin.set_limits(Some(limits));
    });
    for outcome in outcomes {
        promoted(&outcome.unwrap());
    }
    for number in 0..PROMOTIONS {
        assert_eq!(world.git(&["rev-list", "--count", &format!("agents/{number}")]), "2");
    }

    let exchanges = world.twin.exchanges();
    let refused = exchanges.iter().filter(|exchange| exchange.status == Some(403)).count();
    assert!(refused > 0, "the limits were never met");
    let late: Vec<_> = world.twin.requests_while_limited().into_iter().filter(|after| *after > UNDER_WAY).collect();
    assert!(late.is_empty(), "sent although GitHub asked to wait: {late:?}");
    let writes: Vec<_> =
        exchanges.iter().filter(|exchange| exchange.method != "GET").map(|exchange| exchange.started).collect();
    let most = writes.iter().map(|from| writes.iter().filter(|at| (*from..*from + WINDOW).contains(*at)).count()).max();
    println!("{} requests, {refused} of them refused; at most {most:?} writes in {WINDOW:?}", exchanges.len());
    // Those that were held up on their way may arrive a little closer together than they were sent.
    assert!(most.unwrap_or_default() <= MOST_WRITES + MOST_WRITES / 10, "{most:?}");
    world.end_disturbed().await;
}
