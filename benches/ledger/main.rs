//! What the ledger's speed is, beside the plainest way to store the same rows, in turns, in one run.
//!
//! ```sh
//! cargo bench --workspace --bench ledger                                # writes benches/RESULTS.md
//! cargo bench --workspace --bench ledger -- --events 10000000           # the same at ten million events
//! cargo bench --workspace --bench ledger -- --only sqlite               # one part of main's, printed alone; so `auditing`
//! cargo test --workspace --bench ledger -- --smoke                      # that all of it runs, in seconds
//! ```
//!
//! It starts a private Postgres server that syncs its writes. Whether a goal is met is printed, and never an error: how fast
//! this is depends on the machine and on what else it does.
#![expect(clippy::unwrap_used, reason = "a benchmark may stop at anything unexpected")]

mod appending;
mod auditing;
mod contents;
mod machine;
mod pgbench;
mod reading;
mod server;
mod size;
mod sqlite;
mod table;
mod usage;

use std::path::Path;
use std::time::Duration;

use mimalloc::MiMalloc;
use size::Size;
use table::Table;

/// As the command has.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if auditing::is_asked_for(&arguments).await {
        return;
    }
    let size = Size::from_arguments(arguments.into_iter());
    let server = server::Server::start().await;
    let empty = server.database("empty").await;
    let mut table = Table::default();

    for (part, writers) in [("one-writer", 1), ("many-writers", 16)] {
        if size.includes(part) {
            appending::beside_pgbench(&empty, writers, &size, &mut table).await;
        }
    }
    if size.includes("batches") {
        appending::batches(&empty, &size, &mut table).await;
    }
    let filled = size.includes("full") || size.includes("auditing");
    let full = server.database("grown").await;
    if filled {
        full.fill(size.events).await;
    }
    if size.includes("full") {
        for writers in [1, 16] {
            appending::beside_a_full_one(&server.database("fresh").await, &full, writers, &size, &mut table).await;
        }
        reading::pages(&full, &size, &mut table).await;
        reading::one_run(&full, &size, &mut table).await;
        reading::guard(&full, &size, &mut table).await;
        reading::round_trips(&empty, &mut table).await;
    }
    if size.includes("auditing") {
        auditing::whole(&full, &size, &mut table).await;
    }
    if size.includes("sqlite") {
        sqlite::beside_the_c_api(&size, &mut table).await;
    }

    let results = format!("{}\n{}\n{table}", table::INTRODUCTION, machine::described(&server, &size).await);
    println!("\n{results}");
    if !size.smoke && size.only.is_none() {
        std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/RESULTS.md"), results).unwrap();
    }
}

/// Rows a second.
fn rate(rows: u64, took: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "no benchmark counts that far")]
    let rows = rows as f64;
    rows / took.as_secs_f64()
}

fn median(values: &[f64]) -> f64 {
    percentile(values, 50)
}

fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[(values.len() * percent / 100).min(values.len() - 1)]
}
