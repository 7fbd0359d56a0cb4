//! The database breaks while a promotion is under way, in a process that lives on. The promotion completes, or says clearly that
//! it could not; asking again then completes it. Either way the change lands once, and no event is lost or doubled.

mod connections;
mod locks;
mod restarts;
mod settings;
mod statements;

use std::pin::pin;
use std::time::Duration;

use futures::join;
use selfext::{
    ChangeSet, ControlError, DatabaseUrl, Ending, LedgerError, Operations, Outcome, PromoteError, Reason, Selfext,
    StreamId,
};
use selfext_contracts::{PgProxy, TestDatabase};
use selfext_domain::Run;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::time::{interval, timeout};

use crate::world::*;

/// More points than any promotion has, so that a suite that never ends fails instead.
const MANY: u64 = 200;

/// One repository and one ledger, on which each fault meets a change of its own: a new file.
struct Bench {
    world: World,
    proxy: PgProxy,
    /// Past the proxy.
    operations: Operations,
    changes: usize,
}

impl Bench {
    async fn new() -> Self {
        let database = TestDatabase::create().await;
        let proxy = PgProxy::start(database.url()).await;
        let world = World::on_postgres_through(database, proxy.url(), RULES).await;
        Self::of(world, proxy).await
    }

    async fn of(world: World, proxy: PgProxy) -> Self {
        let operations = Operations::open(&DatabaseUrl::parse(&world.ledger_url()).unwrap()).await.unwrap();
        Self { world, proxy, operations, changes: 0 }
    }

    /// The next change, of a file that no other one touches.
    fn next_change(&mut self) -> ChangeSet {
        self.changes += 1;
        let text = format!("{}\n", self.changes);
        builder(&format!("Change {}", self.changes)).write(path(&file(self.changes)), text).build().unwrap()
    }

    /// selfext with connections of its own, of which one rests and has prepared nothing of a promotion's yet.
    async fn fresh_selfext(&self) -> Selfext {
        self.selfext_with_cache("cache").await
    }

    /// The same with a cache of its own too, as another process has it.
    async fn other_selfext(&self) -> Selfext {
        self.selfext_with_cache("other-cache").await
    }

    async fn selfext_with_cache(&self, cache: &str) -> Selfext {
        let url = DatabaseUrl::parse(self.proxy.url()).unwrap();
        open(&self.world.api(), &self.world.bare, self.world.folder().join(cache), url).await
    }

    /// A session of somebody else's on the same database.
    async fn foreign_session(&self) -> PgConnection {
        PgConnection::connect(&self.world.ledger_url()).await.unwrap()
    }

    /// Asks for the last change once more, now that the fault is gone, unless the first call completed. `true` if it did.
    async fn complete(
        &self,
        selfext: &Selfext,
        change: &ChangeSet,
        first: Result<Outcome, PromoteError>,
        point: &str,
    ) -> bool {
        let completed = completed_or_told(first, point);
        let calls = if completed.is_some() { 1 } else { 2 };
        let outcome = match completed {
            Some(outcome) => outcome,
            None => ask(selfext, change, point).await,
        };
        let types = self.check_landed_once(&outcome, self.changes, point).await;
        // A call claims the run once, begins or takes over its merge once, and here nothing closes a permit.
        let count = |name: &str| types.iter().filter(|found| *found == name).count();
        let merges = count("merge_started");
        assert!(count("tested") <= calls && (1..=calls).contains(&merges), "{point}: {types:?}");
        self.check_everything_landed(point).await;
        calls == 1
    }

    /// The ledger of a change that has landed, and its file on main. Answers the types of its events.
    async fn check_landed_once(&self, outcome: &Outcome, number: usize, point: &str) -> Vec<String> {
        let text = format!("{number}\n").into_bytes();
        assert_eq!(self.world.on_main(&file(number)), Some(text), "{point}");
        let commits = self.world.git(&["log", "--format=%H", "main", "--", &file(number)]);
        assert_eq!(commits, promoted(outcome), "{point}: it landed once, as was said");
        let events = self.operations.stream_events(&StreamId::Run(outcome.run.clone())).await.unwrap();
        // Folding looks at the numbers and the chain, so that no event is missing or there twice.
        let run = Run::fold(&events).unwrap_or_else(|error| panic!("{point}: {error:?}"));
        assert!(run.phase().has_landed(), "{point}");
        let types: Vec<String> = events.iter().map(|event| event.event.body.event_type().to_owned()).collect();
        let count = |name: &str| types.iter().filter(|found| *found == name).count();
        assert_eq!((count("proposed"), count("promoted"), count("failed")), (1, 1, 0), "{point}: {types:?}");
        types
    }

    /// All changes so far, and nothing else: on main, as pull requests, as runs.
    async fn check_everything_landed(&self, point: &str) {
        let commits = (self.changes + 1).to_string();
        assert_eq!(self.world.git(&["rev-list", "--count", "main"]), commits, "{point}: one merge each");
        let pulls = self.world.twin.pulls().await;
        assert_eq!(pulls.len(), self.changes, "{point}: one pull request each");
        assert!(pulls.iter().all(|pull| pull.merged_as.is_some()), "{point}: {pulls:?}");
        let status = self.operations.status(1_000).await.unwrap();
        assert_eq!((status.latest.len(), status.in_flight.len()), (self.changes, 0), "{point}");
        // Only where a publication might still have been on its way is a branch kept, at what landed.
        for branch in self.world.branches() {
            self.world.git(&["merge-base", "--is-ancestor", &branch, "main"]);
        }
    }
}

fn file(number: usize) -> String {
    format!("changes/{number}.txt")
}

/// Asks for a change when nothing is in the way.
async fn ask(selfext: &Selfext, change: &ChangeSet, point: &str) -> Outcome {
    selfext.promote(change).await.unwrap_or_else(|error| panic!("{point}: {}", selfext_domain::error_chain(&error)))
}

/// The outcome of a call that completed; `None` for one that said clearly why it could not, so that asking again is right.
fn completed_or_told(result: Result<Outcome, PromoteError>, point: &str) -> Option<Outcome> {
    match result {
        Ok(outcome) => match &outcome.ending {
            Ending::Promoted { .. } => Some(outcome),
            Ending::InDoubt { .. } => None,
            Ending::Blocked(refusal) if refusal.reason == Reason::ControlUnreadable => None,
            other => panic!("{point}: {other:?}"),
        },
        Err(error) => {
            assert!(is_of_the_database(&error), "{point}: {}", selfext_domain::error_chain(&error));
            None
        }
    }
}

/// Whether an error says that it was the ledger's database, or the control's, that did not do what was asked.
fn is_of_the_database(error: &PromoteError) -> bool {
    matches!(
        error,
        PromoteError::Ledger(LedgerError::Unavailable(_)) | PromoteError::Control(ControlError::Unavailable(_))
    )
}

/// Does something in the middle of a call, once a moment of it is reached. Answers also whether it was: the call may end before.
async fn disturb<T>(
    call: impl Future<Output = T>,
    reached: impl Future<Output = ()>,
    act: impl Future<Output = ()>,
) -> (T, bool) {
    let mut call = pin!(call);
    tokio::select! {
        answer = &mut call => (answer, false),
        () = reached => {
            // The call may end while this goes on, which is not to be left half done.
            let (answer, ()) = join!(call, act);
            (answer, true)
        }
    }
}

async fn execute(session: &mut PgConnection, statements: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(session).await;
    done.unwrap_or_else(|error| panic!("`{statements}`: {error}"));
}

/// Waits until a session of selfext's waits for a lock in this database, and answers which.
async fn wait_for_a_lock(session: &mut PgConnection) -> i32 {
    let waiting = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()
                   AND application_name = 'selfext' AND wait_event_type = 'Lock' LIMIT 1";
    until("selfext waits for a lock", async || sqlx::query_scalar(waiting).fetch_optional(&mut *session).await.unwrap())
        .await
}

/// Waits until there is an answer.
async fn until<T>(what: &str, mut answer: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        let mut looks = interval(Duration::from_millis(5));
        loop {
            looks.tick().await;
            if let Some(answer) = answer().await {
                return answer;
            }
        }
    };
    timeout(Duration::from_mins(1), looking).await.unwrap_or_else(|_| panic!("it does not come to it that {what}"))
}
