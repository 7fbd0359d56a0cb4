//! pgbench, which comes with the server: the plainest client that there is.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use selfext_contracts::ledger::Story;

use crate::contents::{in_sql, payload};
use crate::server::Database;

/// What is inserted.
#[derive(Clone, Copy)]
pub enum Row {
    /// What a client sends, into the ledger.
    Sent,
    /// The same, into a table of nothing else.
    Bare,
    /// All that the ledger holds of it, into a table with its indexes and without its triggers: what any way to append would take that
    /// derives and chains for nothing.
    Whole,
}

impl Row {
    fn insert(self, content: &str, run: &str, id: &str) -> String {
        let insert = |table, columns, values| {
            format!("INSERT INTO {table} (content, sequence{columns}) VALUES ({content}, :n::bigint{values});")
        };
        match self {
            Self::Sent => insert("self_extension_events", "", ""),
            Self::Bare => insert("bare", "", ""),
            Self::Whole => {
                let (digest, payload) = ("5".repeat(64), payload(&Story::tested(&Story::new("a run"))));
                let values = format!(
                    ", pg_current_xact_id(), ({id})::uuid, {run}, {run}, 'verification', 'tested', 'agent', 'write', 'acme/agent', \
                     'main', '{digest}', '{payload}', 'agent', clock_timestamp(), '\\x{digest}', '\\x{digest}', '\\x{digest}'"
                );
                let columns = ", transaction_id, event_id, run_id, correlation_id, stage, event_type, actor_source, tool_name, repository, \
                               base, fingerprint, payload, written_by, created_at, content_hash, prev_hash, hash";
                insert("whole", columns, &values)
            }
        }
    }
}

/// Inserts rows as one client after the other would, prepared, a transaction each: rows a second. The content is put together
/// by the server, of strings, which costs it a few microseconds.
pub fn inserts(database: &Database, row: Row, clients: usize, time: Duration) -> f64 {
    // Each turn has runs and ids of its own.
    static TURN: AtomicU32 = AtomicU32::new(1);
    let turn = TURN.fetch_add(1, Ordering::Relaxed);
    let run = "'pgbench-' || :turn::int || '-' || :client_id::int";
    let id = "'0198f1d3-' || lpad(to_hex(:turn::int), 4, '0') || '-7000-8000-' \
              || lpad(to_hex(:n::bigint * 64 + :client_id::int), 12, '0')";
    let insert = row.insert(&in_sql(Story::tested, run, id), run, id);
    let script = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(script.path(), format!("\\set n :n + 1\n{insert}\n")).unwrap();
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
