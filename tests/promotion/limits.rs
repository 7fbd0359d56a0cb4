//! GitHub's limits, which one token has for everything that is done with it.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use futures::future::join_all;
use futures::join;
use selfext::{BranchName, Budget, DatabaseUrl, Observer, Step};
use selfext_twin::{Exchange, Limits};
use serde_json::Value;

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

/// The writes of a promotion that it tells of right before it asks for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Write {
    Publication,
    Evidence,
    Merge,
}

/// In which order the promotions asked for their writes.
#[derive(Default)]
struct Asked(Mutex<Vec<(usize, Write)>>);

struct Teller<'a> {
    number: usize,
    asked: &'a Asked,
}

impl Observer for Teller<'_> {
    fn on(&self, step: &Step) {
        let write = match step {
            Step::Publishing => Write::Publication,
            // The evidence is asked for with the first look at the checks.
            Step::Published { .. } => Write::Evidence,
            Step::MergeStarted => Write::Merge,
            _ => return,
        };
        self.asked.0.lock().unwrap().push((self.number, write));
    }
}

/// Whose the writes are that arrived, in their order: of which promotion, which, and whether a limit refused it.
fn served(exchanges: &[Exchange]) -> Vec<(usize, Write, bool)> {
    let mut of_head: HashMap<String, usize> = HashMap::new();
    let mut of_pull: HashMap<String, usize> = HashMap::new();
    let mut served = Vec::new();
    for exchange in exchanges {
        let last = |path: &str| path.rsplit('/').next().unwrap().to_owned();
        let path = &exchange.path_and_query;
        let (number, write) = match (exchange.method.as_str(), path) {
            ("POST", path) if path == "/graphql" => {
                let base = text(exchange.request_body.as_ref(), "/variables/pull/baseRefName").unwrap();
                let number = base.trim_start_matches("agents/").parse().unwrap();
                let made = |at| text(exchange.response_body.as_ref(), at);
                made("/data/commit/commit/oid").map(|head| of_head.insert(head, number));
                made("/data/pull/pullRequest/number").map(|pull| of_pull.insert(pull, number));
                (number, Write::Publication)
            }
            ("POST", path) if path.contains("/statuses/") => (of_head[&last(path)], Write::Evidence),
            ("PUT", path) => (of_pull[&last(path.trim_end_matches("/merge"))], Write::Merge),
            _ => continue,
        };
        served.push((number, write, exchange.status == Some(403)));
    }
    served
}

/// A value in a request or an answer.
fn text(body: Option<&Value>, at: &str) -> Option<String> {
    let value = body?.pointer(at)?;
    Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

/// Nobody comes before one who asked earlier, and what a limit refused comes again before anything else.
fn assert_fair(asked: &[(usize, Write)], served: &[(usize, Write, bool)]) {
    let mut first: Vec<(usize, Write)> = Vec::new();
    for (number, write, _) in served {
        if !first.contains(&(*number, *write)) {
            first.push((*number, *write));
        }
    }
    assert_eq!(first, asked, "the order in which they were sent, and the one in which they were asked for");
    for pair in served.windows(2) {
        let [(number, write, refused), (next, next_write, _)] = pair else { unreachable!() };
        // A merge gives its place back, for its permit is not to wait long.
        if *refused && *write != Write::Merge {
            assert_eq!((next, next_write), (number, write), "a write that a limit refused has lost its place");
        }
    }
}

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
    let asked = Asked::default();
    let tellers: Vec<_> = (0..PROMOTIONS).map(|number| Teller { number, asked: &asked }).collect();
    let promotions = agents.iter().zip(&tellers).map(|(agent, teller)| agent.promote_as(&change, None, teller));
    let (outcomes, ()) = join!(join_all(promotions), async {
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
    assert_fair(&asked.0.lock().unwrap(), &served(&exchanges));
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
