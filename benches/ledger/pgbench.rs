//! pgbench, which comes with the server: the plainest client that there is.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use selfext_contracts::ledger::Story;

use crate::contents::in_sql;
use crate::server::Database;

/// Inserts rows as one client after the other would, prepared, a transaction each: rows a second. The content is put together
/// by the server, of strings, which costs it a few microseconds.
pub fn inserts(database: &Database, table: &str, clients: usize, time: Duration) -> f64 {
    // Each turn has runs and ids of its own.
    static TURN: AtomicU32 = AtomicU32::new(1);
    let turn = TURN.fetch_add(1, Ordering::Relaxed);
    let content = in_sql(
        Story::tested,
        "'pgbench-' || :turn::int || '-' || :client_id::int",
        "'0198f1d3-' || lpad(to_hex(:turn::int), 4, '0') || '-7000-8000-' \
         || lpad(to_hex(:n::bigint * 64 + :client_id::int), 12, '0')",
    );
    let script = tempfile::NamedTempFile::new().unwrap();
    let insert = format!("\\set n :n + 1\nINSERT INTO {table} (content, sequence) VALUES ({content}, :n::bigint);\n");
    std::fs::write(script.path(), insert).unwrap();
    let url = &database.url;
    let done = Command::new(&database.pgbench)
        .args(["-n", "-M", "prepared", "-D", "n=0", "-D", &format!("turn={turn}")])
        .args(["-c", &clients.to_string(), "-T", &time.as_secs().max(1).to_string(), "-f"])
        .arg(script.path())
        .args(["-h", url.host_str().unwrap(), "-p", &url.port().unwrap().to_string(), "-U", url.username()])
        .arg(url.path().trim_start_matches('/'))
        .env("PGPASSWORD", url.password().unwrap())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{told}{}", String::from_utf8_lossy(&done.stderr));
    let rate = told.lines().find_map(|line| line.strip_prefix("tps = ")).and_then(|rest| rest.split(' ').next());
    rate.unwrap().parse().unwrap()
}
