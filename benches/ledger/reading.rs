//! Reading: what a person looks at, what a guard looks at, and how many round trips a permit takes.

use std::time::Instant;

use selfext_contracts::PgProxy;
use selfext_contracts::ledger::{Story, before, granted};
use selfext_domain::ports::{EventQuery, RunQuery, RunSelection};
use selfext_domain::{RunId, StreamId};
use selfext_store::{DatabaseUrl, Store};
use sqlx::{Connection as _, PgConnection};

use crate::server::Database;
use crate::size::Size;
use crate::table::{Goal, Table};
use crate::{median, percentile};

/// A page of what people ask for.
pub async fn pages(database: &Database, size: &Size, table: &mut Table) {
    let queries = &database.queries();
    let runs = |selection| async move {
        queries.runs(&RunQuery { selection, limit: 50, ..RunQuery::default() }).await.unwrap().len()
    };
    let events = |types: Vec<String>| async move {
        queries.events(&EventQuery { types, limit: 50, ..EventQuery::default() }).await.unwrap().len()
    };
    page("latest 50 runs with their state", size, table, || runs(RunSelection::All)).await;
    page("50 runs of a goal", size, table, || runs(RunSelection::Goal(Database::any_goal()))).await;
    page("the blocked ones of 100 open runs", size, table, || runs(RunSelection::Blocked)).await;
    page("50 events of a type", size, table, || events(vec!["promoted".to_owned()])).await;
    page("50 events of any type", size, table, || events(Vec::new())).await;
    page("status", size, table, || async { queries.overview(10).await.unwrap().latest.len() }).await;
}

async fn page<F: Future<Output = usize>>(what: &str, size: &Size, table: &mut Table, ask: impl Fn() -> F) {
    let mut times = Vec::new();
    for _ in 0..size.reads {
        let began = Instant::now();
        let _: usize = ask().await;
        times.push(milliseconds(began));
    }
    p99(&format!("{what}, of {} events", size.events), &times, table);
}

/// All events of a run, of those that are over.
pub async fn one_run(database: &Database, size: &Size, table: &mut Table) {
    let ledger = database.ledger();
    let runs = size.events / 8;
    let mut times = Vec::new();
    for _ in 0..size.reads {
        let run = StreamId::from(RunId::parse(Database::run_name(fastrand::u64(..runs))).unwrap());
        let began = Instant::now();
        assert_eq!(ledger.stream_events(&run).await.unwrap().len(), 8);
        times.push(milliseconds(began));
    }
    p99(&format!("the events of one run, of {} events", size.events), &times, table);
}

/// What the guard reads, beside the plainest SELECT of the same row.
pub async fn guard(database: &Database, size: &Size, table: &mut Table) {
    const ROW: &str = "SELECT value::text, updated_at FROM agent_state WHERE key = 'self_extension:promotion_control'";
    let control = database.control();
    let mut connection = PgConnection::connect(database.url.as_str()).await.unwrap();
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..size.reads {
        let began = Instant::now();
        control.read().await.unwrap();
        ours.push(milliseconds(began));
        let began = Instant::now();
        sqlx::query(ROW).fetch_all(&mut connection).await.unwrap();
        bare.push(milliseconds(began));
    }
    table.times("guard check, p50, beside a bare SELECT", median(&ours), median(&bare), Goal::AtMost(1.2));
}

/// How many round trips the guard and a permit take, counted on the wire.
pub async fn round_trips(database: &Database, table: &mut Table) {
    let proxy = PgProxy::start(database.url.as_str()).await;
    let store = Store::connect(&DatabaseUrl::parse(proxy.url()).unwrap()).await.unwrap();
    let (ledger, control) = (store.ledger(), store.control());
    let (mut guard, mut permit) = (0, 0);
    // The first use of a statement prepares it.
    for name in ["cold", "warm"] {
        let story = Story::new(&format!("permit-{name}")).into_base(name);
        story.begin(&ledger).await;
        let (event, tip) = (story.merge_started(), before(&ledger, &story.run.clone().into(), 3).await);
        proxy.reset();
        control.read().await.unwrap();
        guard = proxy.round_trips();
        proxy.reset();
        let _ = granted(ledger.begin_merge(&event, tip).await.unwrap());
        permit = proxy.round_trips();
    }
    table.count("guard check, round trips", guard, 1);
    table.count("permit grant, round trips", permit, 1);
}

fn p99(what: &str, times: &[f64], table: &mut Table) {
    table.figure(&format!("{what}, p50"), median(times), " ms", Goal::None);
    table.figure(&format!("{what}, p99"), percentile(times, 99), " ms", Goal::AtMost(5.0));
}

fn milliseconds(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1_000.0
}
