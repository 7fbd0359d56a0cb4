//! The connections to one Postgres database.
//!
//! Every port method is one statement outside a transaction, so a connection needs no care when it is given back: it is
//! used again if its statement ended, and dropped otherwise. sqlx's own pool would ask the server with each return whether
//! it is still there, a round trip that keeps the connection from the next statement.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::TryStreamExt as _;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgRow};
use sqlx::query::Query;
use sqlx::{ConnectOptions, Connection, Error, PgConnection, Postgres};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::errors::is_lost;
use super::wakes::Wakes;

/// How many connections there are at most; what finds none free waits.
const MOST: usize = 10;

/// How long to wait for a free connection, and how long for a new one.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection that rested longer is not used again: something between here and the server may have forgotten it.
const LONGEST_REST: Duration = Duration::from_mins(10);

/// How long the server may take for a statement, waiting for locks included. In milliseconds.
const STATEMENT_MS: &str = "15000";

/// How long a statement may wait for a lock. In milliseconds.
const LOCK_MS: &str = "10000";

/// How long an answer may take before the connection is given up: longer than the server's own limit, so that it is reached
/// only where the network is gone.
const ANSWER: Duration = Duration::from_secs(20);

/// A statement with its values.
pub(super) type Statement<'q> = Query<'q, Postgres, PgArguments>;

/// The connections to one database.
#[derive(Debug)]
pub(crate) struct Connections {
    options: PgConnectOptions,
    idle: Mutex<Vec<Resting>>,
    free: Semaphore,
    wakes: Wakes,
}

#[derive(Debug)]
struct Resting {
    connection: PgConnection,
    since: Instant,
}

impl Connections {
    /// Sets the connections up; none is made yet.
    pub fn new(options: PgConnectOptions) -> Self {
        let options = options.application_name("selfext").disable_statement_logging().options([
            ("statement_timeout", STATEMENT_MS),
            ("lock_timeout", LOCK_MS),
            ("default_transaction_isolation", "read committed"),
        ]);
        let wakes = Wakes::new(options.clone());
        Self { options, idle: Mutex::default(), free: Semaphore::new(MOST), wakes }
    }

    /// How a connection is made.
    pub const fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// An event was written: followers are told, soon and on another connection. Answers at once.
    pub fn wake_followers(&self) {
        self.wakes.send();
    }

    /// A connection of its own, without limits of time, for migrations and the audit.
    pub async fn dedicated(&self) -> Result<PgConnection, Error> {
        let options = self.options.clone().options([("statement_timeout", "0"), ("lock_timeout", "0")]);
        connect(&options).await
    }

    /// Runs one statement and gives its rows. Each call of `statement` makes it anew.
    pub async fn fetch<'q>(&self, statement: impl Fn() -> Statement<'q> + Send + Sync) -> Result<Vec<PgRow>, Error> {
        self.ask(|connection| self.fetched(connection, statement())).await
    }

    /// Runs one `COPY … TO STDOUT` and takes its answer, a piece at a time.
    pub async fn copy<T: Default + Send>(
        &self,
        statement: &str,
        take: impl Fn(&mut T, &[u8]) -> Result<(), Error> + Send + Sync,
    ) -> Result<T, Error> {
        self.ask(|connection| self.copied(connection, statement, &take)).await
    }

    /// Asks on a connection that rested, or on a new one. Where the one that rested turns out to be dead, the same is asked once more,
    /// on a new one. So it must be what may be repeated.
    async fn ask<T, F: Future<Output = Result<T, Error>> + Send>(
        &self,
        question: impl Fn(PgConnection) -> F + Send + Sync,
    ) -> Result<T, Error> {
        let _place = self.place().await?;
        if let Some(connection) = self.rested() {
            match question(connection).await {
                Err(error) if is_lost(&error) => {
                    tracing::debug!(%error, "a connection that rested is dead; the statement is sent once more");
                    // What rested beside it is as old as it is.
                    self.resting().clear();
                }
                outcome => return outcome,
            }
        }
        question(connect(&self.options).await?).await
    }

    /// Keeps the connection if the statement ended, be it with an error of the database's.
    async fn fetched(&self, mut connection: PgConnection, statement: Statement<'_>) -> Result<Vec<PgRow>, Error> {
        let rows = timeout(ANSWER, statement.fetch_all(&mut connection));
        let outcome = rows.await.unwrap_or_else(|_| Err(late("the answer does not come")));
        let ended = match &outcome {
            Ok(_) => true,
            Err(error @ Error::Database(_)) => !is_lost(error),
            Err(_) => false,
        };
        if ended {
            self.keep(connection);
        }
        outcome
    }

    /// Keeps the connection only if all went well: sqlx leaves what follows an error unread.
    async fn copied<T: Default + Send>(
        &self,
        mut connection: PgConnection,
        statement: &str,
        take: &(impl Fn(&mut T, &[u8]) -> Result<(), Error> + Send + Sync),
    ) -> Result<T, Error> {
        let mut copied = T::default();
        let copy = async {
            let mut pieces = connection.copy_out_raw(statement).await?;
            while let Some(piece) = pieces.try_next().await? {
                take(&mut copied, &piece)?;
            }
            Ok(())
        };
        timeout(ANSWER, copy).await.unwrap_or_else(|_| Err(late("the answer does not come")))?;
        self.keep(connection);
        Ok(copied)
    }

    async fn place(&self) -> Result<SemaphorePermit<'_>, Error> {
        match timeout(PATIENCE, self.free.acquire()).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) => Err(Error::PoolClosed),
            Err(_) => Err(Error::PoolTimedOut),
        }
    }

    fn rested(&self) -> Option<PgConnection> {
        let mut resting = self.resting();
        // The one that rested last is the warmest; what is behind one that is too old is older still.
        match resting.pop() {
            Some(last) if last.since.elapsed() < LONGEST_REST => Some(last.connection),
            _ => {
                resting.clear();
                None
            }
        }
    }

    fn keep(&self, connection: PgConnection) {
        self.resting().push(Resting { connection, since: Instant::now() });
    }

    fn resting(&self) -> std::sync::MutexGuard<'_, Vec<Resting>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, Error> {
    timeout(PATIENCE, PgConnection::connect_with(options))
        .await
        .unwrap_or_else(|_| Err(late("the server does not answer")))
}

/// A limit of time that passed. Not an error of input and output: the statement may be under way, and is not sent again.
pub(super) fn late(what: &'static str) -> Error {
    Error::Protocol(what.to_owned())
}
