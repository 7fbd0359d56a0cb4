//! One SQLite file: connections that write in turn, and some that read.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use selfext_domain::ports::LedgerError;
use selfext_domain::{RecordedEvent, Tip};
use sqlx::error::DatabaseError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Error, SqlitePool};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::timeout;

use super::appender::Appender;
use super::errors::{cut_off, failed};
use super::in_place::in_place;
use crate::request::Ready;

/// How long to wait for another process that has the file, and for a free connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long to wait before a file that others have is tried again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How many statements may read at a time.
const READERS: u32 = 4;

/// One SQLite file. Its writers queue for their turn, in the order in which they come; what SQLite offers them instead is to try
/// again and again.
#[derive(Debug)]
pub(crate) struct SqliteDatabase {
    pub writer: SqlitePool,
    appender: Arc<Mutex<Appender>>,
    pub reader: SqlitePool,
    /// How a connection is made.
    pub options: SqliteConnectOptions,
    /// The operating system's user, which is all that SQLite knows of who writes.
    pub written_by: String,
}

impl SqliteDatabase {
    /// Opens the file, and makes it if it is not there.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(PATIENCE)
            .pragma("recursive_triggers", "ON")
            .disable_statement_logging();
        let pool = || SqlitePoolOptions::new().acquire_timeout(PATIENCE * 2).test_before_acquire(false);
        // First the one that makes the file: changing a new file to WAL tolerates no one else.
        let writer = first(|| pool().max_connections(1).connect_with(options.clone())).await?;
        let reader = pool().max_connections(READERS).connect_lazy_with(options.clone());
        let written_by = whoami::username().unwrap_or_else(|_| "unknown".to_owned());
        let appender = Appender::new(path.to_owned(), written_by.clone());
        Ok(Self { writer, appender: Arc::new(Mutex::new(appender)), reader, options, written_by })
    }

    /// Writes events, all of them or none; see [`Appender::append`].
    pub async fn append(&self, events: Vec<Ready>, after: Tip) -> Result<Option<Vec<RecordedEvent>>, LedgerError> {
        let mut turn = self.turn().await?;
        in_place(move || turn.append(events, after)).await.ok_or_else(cut_off)?
    }

    /// The turn to write, and what appends.
    pub async fn turn(&self) -> Result<OwnedMutexGuard<Appender>, LedgerError> {
        let turn = timeout(PATIENCE * 2, Arc::clone(&self.appender).lock_owned()).await;
        turn.map_err(|_| LedgerError::unavailable("others write to the file all the time"))
    }
}

/// Opens a file that others may be making at this moment. For them SQLite does not wait by itself: two that change a new
/// file to WAL would wait for each other.
async fn first<F: Future<Output = Result<SqlitePool, Error>>>(open: impl Fn() -> F) -> Result<SqlitePool, Error> {
    let mut waited = Duration::ZERO;
    loop {
        match open().await {
            Err(Error::Database(error)) if is_busy(&*error) && waited < PATIENCE => {
                tokio::time::sleep(LOOK_AGAIN).await;
                waited += LOOK_AGAIN;
            }
            opened => return opened,
        }
    }
}

fn is_busy(error: &dyn DatabaseError) -> bool {
    // The primary result code is in the lowest byte: SQLITE_BUSY or SQLITE_LOCKED.
    let code = error.code().and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 5 | 6))
}

/// Carries out one statement, and tells the trace when it begins and when it has ended.
pub(super) async fn traced<T>(
    statement: &'static str,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, LedgerError> {
    tracing::trace!(statement, "begins");
    let done = work.await;
    tracing::trace!(statement, "has ended");
    done.map_err(failed)
}

/// The same on the thread that asks.
pub(super) fn told<T>(statement: &'static str, work: impl FnOnce() -> T) -> T {
    tracing::trace!(statement, "begins");
    let done = work();
    tracing::trace!(statement, "has ended");
    done
}

/// Runs work that writes to its end, also if nobody waits for it any more: a future that is dropped in the middle of a
/// transaction would leave it open on the one connection that writes. `None` if the runtime ended before the work.
pub(super) async fn to_its_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Option<T> {
    match tokio::spawn(work).await {
        Ok(done) => Some(done),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => None,
    }
}
