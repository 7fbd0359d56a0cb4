//! pgbench, which comes with the server: the plainest client that there is.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use selfext_contracts::ledger::Story;

use crate::contents::{derived_in_sql, in_sql};
use crate::server::Database;

/// What is inserted.
#[derive(Clone, Copy)]
pub enum Row {
    /// What a client sends, into the ledger, which derives the rest.
    Sent,
    /// The same row as the ledger then holds it, into a table with the ledger's columns and neither its triggers nor its indexes.
    Bare,
    /// The same row, into a table with the indexes and without the triggers: what any way to append would take that derives and chains
    /// for nothing.
    Indexed,
    /// What a client sends, into a table of nothing else.
    Narrow,
}

impl Row {
    fn insert(self, content: &str, run: &str, id: &str) -> String {
        let insert = |table, columns, values| {
            format!("INSERT INTO {table} (content, sequence{columns}) VALUES ({content}, :n::bigint{values});")
        };
        match self {
            Self::Sent => insert("self_extension_events", "", ""),
            Self::Narrow => insert("narrow", "", ""),
            Self::Bare | Self::Indexed => {
                let hash = format!("'\\x{}'", "5".repeat(64));
                let added = [
                    ("transaction_id", "pg_current_xact_id()"),
                    ("written_by", "'agent'"),
                    ("created_at", "clock_timestamp()"),
                    ("content_hash", &*hash),
                    ("prev_hash", &*hash),
                    ("hash", &*hash),
                ];
                let derived = derived_in_sql(Story::tested, run, id);
                let all = derived.iter().map(|(column, value)| (&**column, &**value)).chain(added);
                let (columns, values): (String, String) =
                    all.map(|(column, value)| (format!(", {column}"), format!(", {value}"))).unzip();
                insert(if matches!(self, Self::Bare) { "bare" } else { "indexed" }, &columns, &values)
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
