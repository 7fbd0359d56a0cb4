//! Appending to SQLite through the library, beside the same INSERT through SQLite's C API.
#![expect(unsafe_code, reason = "the C API is what the library is measured beside")]

use std::ffi::{CString, c_int};
use std::path::Path;
use std::ptr::null_mut;
use std::time::{Duration, Instant};

use libsqlite3_sys as c;
use selfext_contracts::ledger::Story;
use selfext_domain::{Event, Link, Tip};
use selfext_store::Store;

use crate::rate;
use crate::size::Size;
use crate::table::{Goal, Table};

const INSERT: &str = "INSERT INTO self_extension_events (sequence, content, written_by, content_hash, prev_hash, hash)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

/// WAL, synchronous FULL, one writer; one event a transaction, and a hundred.
pub async fn beside_the_c_api(size: &Size, table: &mut Table) {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("ledger.db");
    let store = Store::open_sqlite_or_create(&file).await.unwrap();
    for (batch, what, goal) in
        [(1, "SQLite append", Goal::AtLeast(0.85)), (100, "SQLite append in batches of 100", Goal::None)]
    {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for round in 0..size.rounds {
            let run = format!("{batch}-{round}");
            let writing = through_the_library(store.clone(), run.clone(), batch, size.turn);
            // In a task, as those of the other ledger are.
            ours.push(tokio::spawn(writing).await.unwrap());
            theirs.push(Raw::open(&file).insert(&run, batch, size.turn));
        }
        table.rates(&format!("{what}, beside the same INSERT through the C API"), &ours, &theirs, goal);
    }
}

async fn through_the_library(store: Store, run: String, batch: usize, time: Duration) -> f64 {
    let (ledger, story) = (store.ledger(), Story::new(&format!("library-{run}")));
    let mut last = ledger.propose(&story.proposed(), None).await.unwrap();
    let began = Instant::now();
    while began.elapsed() < time {
        let tip = Tip { sequence: last.sequence, hash: last.link.hash };
        last = if batch == 1 {
            ledger.append(&story.tested(), tip).await.unwrap()
        } else {
            let events: Vec<_> = (0..batch).map(|_| story.tested()).collect();
            ledger.append_all(&events, tip).await.unwrap().pop().unwrap()
        };
    }
    rate(last.sequence - 1, began.elapsed())
}

/// A connection and the one statement on it, with which everything is done that the library's INSERT needs.
struct Raw {
    connection: *mut c::sqlite3,
    statement: *mut c::sqlite3_stmt,
}

impl Raw {
    fn open(file: &Path) -> Self {
        let name = CString::new(file.to_str().unwrap()).unwrap();
        let insert = CString::new(INSERT).unwrap();
        let mut raw = Self { connection: null_mut(), statement: null_mut() };
        // SAFETY: the string ends with NUL and lives longer than the call.
        let opened = unsafe { c::sqlite3_open(name.as_ptr(), &raw mut raw.connection) };
        assert_eq!(opened, c::SQLITE_OK);
        for pragma in ["PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON", "PRAGMA recursive_triggers = ON"] {
            raw.execute(pragma);
        }
        // SAFETY: as above, and the connection is open.
        let prepared =
            unsafe { c::sqlite3_prepare_v2(raw.connection, insert.as_ptr(), -1, &raw mut raw.statement, null_mut()) };
        assert_eq!(prepared, c::SQLITE_OK);
        raw
    }

    fn execute(&self, statement: &str) {
        let statement = CString::new(statement).unwrap();
        // SAFETY: the string ends with NUL and lives longer than the call; the connection is open.
        let done = unsafe { c::sqlite3_exec(self.connection, statement.as_ptr(), None, null_mut(), null_mut()) };
        assert_eq!(done, c::SQLITE_OK);
    }

    /// The rows are made ready before the time begins.
    fn insert(&self, run: &str, batch: usize, time: Duration) -> f64 {
        let story = Story::new(&format!("c-{run}"));
        let mut prev = Link::GENESIS;
        let mut next = |event: Event| {
            let content = event.to_content().unwrap();
            let link = Link::new(prev, content.as_bytes());
            prev = link.hash;
            (content, link)
        };
        let first = next(story.proposed());
        self.step(1, &first.0, &first.1);
        let rows: Vec<_> = (0..u64::try_from(time.as_millis()).unwrap() * 20).map(|_| next(story.tested())).collect();
        let (began, mut written) = (Instant::now(), 0);
        for rows in rows.chunks(batch) {
            if began.elapsed() >= time {
                break;
            }
            if batch > 1 {
                self.execute("BEGIN IMMEDIATE");
            }
            for (content, link) in rows {
                written += 1;
                self.step(written + 1, content, link);
            }
            if batch > 1 {
                self.execute("COMMIT");
            }
        }
        rate(u64::try_from(written).unwrap(), began.elapsed())
    }

    fn step(&self, sequence: i64, content: &str, link: &Link) {
        let length = |bytes: &[u8]| c_int::try_from(bytes.len()).unwrap();
        let [content_hash, prev_hash, hash] =
            [&link.content_hash, &link.prev_hash, &link.hash].map(selfext_domain::Digest32::as_bytes);
        // SAFETY: the statement is prepared, and what is bound without a copy lives until the statement has been reset.
        unsafe {
            c::sqlite3_bind_int64(self.statement, 1, sequence);
            for (place, text) in [(2, content), (3, "benchmark")] {
                c::sqlite3_bind_text(self.statement, place, text.as_ptr().cast(), length(text.as_bytes()), None);
            }
            for (place, bytes) in [(4, content_hash), (5, prev_hash), (6, hash)] {
                c::sqlite3_bind_blob(self.statement, place, bytes.as_ptr().cast(), length(bytes), None);
            }
            assert_eq!(c::sqlite3_step(self.statement), c::SQLITE_DONE);
            assert_eq!(c::sqlite3_reset(self.statement), c::SQLITE_OK);
        }
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // SAFETY: both were opened, and nothing uses them any more.
        unsafe {
            c::sqlite3_finalize(self.statement);
            c::sqlite3_close(self.connection);
        }
    }
}
