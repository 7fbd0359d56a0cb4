//! A follower on SQLite: it looks at the file's version, which costs those who write nothing.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use selfext_domain::ports::{Follower, LedgerError};
use selfext_domain::{Position, RecordedEvent};
use sqlx::sqlite::SqliteConnection;
use sqlx::{ConnectOptions as _, Row as _};
use tokio::time::Instant;

use super::SqliteDatabase;
use super::columns::{EVENT_COLUMNS, event_columns, event_row};
use super::errors::failed;
use crate::pace::Pace;
use crate::place::{BATCH, Place, other_history};
use crate::request::signed;

/// The time between two looks at the version. It changes when another connection has written, of whatever process.
const VERSION: Duration = Duration::from_millis(20);

/// A follower on a SQLite file, with a connection of its own.
#[derive(Debug)]
pub(super) struct SqliteFollower {
    database: Arc<SqliteDatabase>,
    place: Place,
    pace: Pace,
    connection: Option<SqliteConnection>,
    /// The version at which everything was read.
    read: Option<i64>,
    /// The file that is followed, whatever name it has by now.
    file: Option<File>,
    /// When the file was last looked for under its name.
    looked_for: Option<Instant>,
}

/// Which file it is: its device and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct File(u64, u64);

impl SqliteFollower {
    pub fn new(database: Arc<SqliteDatabase>, after: Position, poll: Duration) -> Self {
        let (place, pace) = (Place::new(after), Pace::new(poll));
        Self { database, place, pace, connection: None, read: None, file: None, looked_for: None }
    }

    /// What is new, if anything was written since everything was read.
    async fn look(&mut self) -> Result<Vec<RecordedEvent>, LedgerError> {
        const LOOK: &str = concat!(
            "SELECT ",
            event_columns!("e"),
            ", h.place
             FROM (SELECT (SELECT p.hash FROM self_extension_events p WHERE p.id = ?1 AND ?3 = 0) AS place) h
             LEFT JOIN (SELECT * FROM self_extension_events n WHERE n.id > ?1 ORDER BY n.id LIMIT ?2) e ON true
             ORDER BY e.id"
        );
        if self.looked_for.is_none_or(|then| then.elapsed() >= self.pace.poll()) {
            self.is_file().await?;
        }
        if self.connection.is_none() {
            // A file that is gone is not made again by those who only read.
            let options = self.database.options.clone().create_if_missing(false);
            self.connection = Some(options.connect().await.map_err(failed)?);
            self.read = None;
        }
        let Some(connection) = &mut self.connection else { return Ok(Vec::new()) };
        // Before the events are read: what is written in between is a new version.
        let version: i64 =
            sqlx::query_scalar("PRAGMA data_version").fetch_one(&mut *connection).await.map_err(failed)?;
        if self.read == Some(version) {
            return Ok(Vec::new());
        }
        let Position { transaction, id } = self.place.position;
        let statement = sqlx::query(LOOK).bind(signed(id)).bind(i64::from(BATCH)).bind(signed(transaction));
        let rows = statement.fetch_all(connection).await.map_err(failed)?;
        let first = rows.first().ok_or_else(|| LedgerError::unavailable("the database told nothing"))?;
        self.place.is_still(first.try_get(EVENT_COLUMNS).map_err(failed)?)?;
        // Without a new event there is one row, with no event in it.
        if first.try_get::<Option<i64>, _>(0).map_err(failed)?.is_none() {
            self.read = Some(version);
            return Ok(Vec::new());
        }
        let events: Vec<_> =
            rows.iter().map(|row| event_row(row).map_err(failed)?.into_recorded()).collect::<Result<_, _>>()?;
        self.read = (events.len() < BATCH as usize).then_some(version);
        Ok(events)
    }

    /// Whether the file of this name is the one that is followed. Whoever has a file open goes on to read it when another
    /// one takes its name.
    async fn is_file(&mut self) -> Result<(), LedgerError> {
        let path = self.database.options.get_filename();
        let found = match tokio::fs::metadata(path).await {
            Ok(found) => File(found.dev(), found.ino()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(LedgerError::unavailable("the file is gone"));
            }
            Err(error) => return Err(LedgerError::unavailable(error)),
        };
        if self.file.is_some_and(|file| file != found) {
            return Err(other_history("another file was put in its place".to_owned()));
        }
        self.file = Some(found);
        self.looked_for = Some(Instant::now());
        Ok(())
    }
}

#[async_trait]
impl Follower for SqliteFollower {
    async fn next(&mut self) -> Result<Vec<RecordedEvent>, LedgerError> {
        loop {
            self.pace.due().await;
            let events = match self.look().await {
                Ok(events) => events,
                Err(error) => {
                    self.connection = None;
                    self.looked_for = None;
                    self.pace.failed();
                    return Err(error);
                }
            };
            // From here to the return nothing waits: the events are either given or looked for again.
            let recovered = self.pace.recovered();
            if self.read.is_none() {
                self.pace.now();
            } else {
                self.pace.rest(VERSION);
            }
            self.place.go_behind(&events);
            if recovered || !events.is_empty() {
                return Ok(events);
            }
        }
    }
}
