//! Appending through the library, beside pgbench, in batches, and to a full ledger.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use selfext_contracts::ledger::Story;
use selfext_domain::ports::Ledger;
use selfext_domain::{RecordedEvent, Tip};

use crate::pgbench::{self, Row};
use crate::server::Database;
use crate::size::Size;
use crate::table::{Goal, Table};
use crate::{median, rate};

/// One event a transaction, beside pgbench's inserts of the same row.
pub async fn beside_pgbench(database: &Database, writers: usize, size: &Size, table: &mut Table) {
    const ROWS: [Row; 4] = [Row::Sent, Row::Bare, Row::Indexed, Row::Narrow];
    let (mut ours, mut theirs) = (Vec::new(), ROWS.map(|_| Vec::new()));
    for _ in 0..size.rounds {
        ours.push(appends(database, writers, 1, size.turn).await);
        for (row, rates) in ROWS.iter().zip(&mut theirs) {
            rates.push(pgbench::inserts(database, *row, writers, size.turn));
        }
    }
    let [same, bare, indexed, narrow] = theirs;
    let writers = named(writers);
    let what = format!("append, {writers}");
    table.rates(&format!("{what}, beside an INSERT into the same table"), &ours, &same, Goal::AtLeast(0.85));
    table.rates(&format!("{what}, beside an INSERT into a bare table"), &ours, &bare, Goal::AtLeast(0.75));
    table.rates(&format!("(INSERT into the same table, {writers}, beside a bare one)"), &same, &bare, Goal::None);
    let without = format!("(INSERT into its columns and indexes alone, {writers}, beside a bare one)");
    table.rates(&without, &indexed, &bare, Goal::None);
    table.rates(&format!("({what}, beside an INSERT into a table of two columns)"), &ours, &narrow, Goal::None);
}

/// Batches of a hundred, beside single appends.
pub async fn batches(database: &Database, size: &Size, table: &mut Table) {
    let (mut batches, mut single) = (Vec::new(), Vec::new());
    for _ in 0..size.rounds {
        single.push(appends(database, 1, 1, size.turn).await);
        batches.push(appends(database, 1, 100, size.turn).await);
    }
    table.rates("append in batches of 100, 1 writer, beside single appends", &batches, &single, Goal::AtLeast(15.0));
}

/// One event a transaction, in a ledger with many events beside a fresh one.
pub async fn beside_a_full_one(fresh: &Database, full: &Database, writers: usize, size: &Size, table: &mut Table) {
    let (mut with_many, mut with_none) = (Vec::new(), Vec::new());
    for _ in 0..size.rounds {
        with_none.push(appends(fresh, writers, 1, size.turn).await);
        with_many.push(appends(full, writers, 1, size.turn).await);
    }
    let what = format!("append, {}, to a ledger of {} events beside an empty one", named(writers), size.events);
    table.rates(&what, &with_many, &with_none, Goal::AtLeast(0.9));
}

fn named(writers: usize) -> String {
    if writers == 1 { "1 writer".to_owned() } else { format!("{writers} writers") }
}

/// Appends events, so many in a transaction: events a second.
async fn appends(database: &Database, writers: usize, batch: usize, time: Duration) -> f64 {
    let mut runs = Vec::new();
    for _ in 0..writers {
        let ledger = database.ledger_of_its_own().await;
        let (story, tip) = begun(&ledger).await;
        runs.push((ledger, story, tip));
    }
    let began = Instant::now();
    let writing: Vec<_> = runs
        .into_iter()
        .map(|(ledger, story, tip)| tokio::spawn(write(ledger, story, tip, batch, began + time)))
        .collect();
    let mut written = 0;
    for writer in writing {
        written += writer.await.unwrap();
    }
    rate(written, began.elapsed())
}

/// A run with two events. What an agent pays once, for its connections and for preparing the statement, is over then; pgbench does not
/// count its connections either.
async fn begun(ledger: &Arc<dyn Ledger>) -> (Story, Tip) {
    static RUNS: AtomicU64 = AtomicU64::new(1);
    let story = Story::new(&format!("library-{}", RUNS.fetch_add(1, Ordering::Relaxed)));
    let first = ledger.propose(&story.proposed(), None).await.unwrap();
    let second = ledger.append(&story.tested(), tip(&first)).await.unwrap();
    let tip = tip(&second);
    (story, tip)
}

fn tip(event: &RecordedEvent) -> Tip {
    Tip { sequence: event.sequence, hash: event.link.hash }
}

async fn write(ledger: Arc<dyn Ledger>, story: Story, mut tip: Tip, batch: usize, until: Instant) -> u64 {
    let begin = tip.sequence;
    while Instant::now() < until {
        let last = if batch == 1 {
            ledger.append(&story.tested(), tip).await.unwrap()
        } else {
            let events: Vec<_> = (0..batch).map(|_| story.tested()).collect();
            ledger.append_all(&events, tip).await.unwrap().pop().unwrap()
        };
        tip = self::tip(&last);
    }
    tip.sequence - begin
}

/// The median of the ratios of what was measured side by side.
pub fn ratio(ours: &[f64], theirs: &[f64]) -> f64 {
    median(&ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect::<Vec<_>>())
}
