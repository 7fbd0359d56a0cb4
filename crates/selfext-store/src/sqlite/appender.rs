//! Writes single events, each by one statement that is a transaction by itself: each statement is a way to the thread that SQLite
//! works on, and back.

use selfext_domain::ports::LedgerError;
use selfext_domain::{Link, RecordedEvent, Tip};
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{ConnectOptions as _, Error, Row as _, SqliteConnection};

use super::database::traced;
use super::errors::failed;
use crate::request::signed;
use crate::row::Addition;

/// A connection of its own: sqlx's pool asks a connection that is given back whether it is still there, which keeps it from the
/// next statement. Whoever has this has the turn to write in this process.
#[derive(Debug)]
pub(crate) struct Appender {
    options: SqliteConnectOptions,
    /// Made at its first use.
    connection: Option<SqliteConnection>,
}

impl Appender {
    pub const fn new(options: SqliteConnectOptions) -> Self {
        Self { options, connection: None }
    }

    /// Writes the event of this content where its stream ends with `after`; `None` if the database refuses, because it ends
    /// otherwise, because the event is there already, or for another reason.
    pub async fn append(
        &mut self,
        content: String,
        after: Tip,
        written_by: &str,
    ) -> Result<Option<RecordedEvent>, LedgerError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.options.connect().await.map_err(failed)?,
        };
        // Kept before anything is waited for: what is dropped in between would be lost with it.
        let connection = self.connection.insert(connection);
        let link = Link::new(after.hash, content.as_bytes());
        match traced(INSERT, insert(connection, &content, after, link, written_by)).await {
            Ok(row) => addition(&row, &link, written_by).map_err(failed)?.to_event(content, after).map(Some),
            Err(LedgerError::Refused { .. }) => Ok(None),
            Err(error) => {
                self.connection = None;
                Err(error)
            }
        }
    }
}

const INSERT: &str = "INSERT INTO self_extension_events (sequence, content, written_by, content_hash, prev_hash, hash)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING id, created_at";

/// Goes on until there are no more rows: the transaction is durable only then.
async fn insert(
    connection: &mut SqliteConnection,
    content: &str,
    after: Tip,
    link: Link,
    written_by: &str,
) -> Result<SqliteRow, Error> {
    let rows = sqlx::query(INSERT)
        .bind(signed(after.sequence.saturating_add(1)))
        .bind(content)
        .bind(written_by)
        .bind(link.content_hash.as_bytes().as_slice())
        .bind(link.prev_hash.as_bytes().as_slice())
        .bind(link.hash.as_bytes().as_slice())
        .fetch_all(connection)
        .await?;
    rows.into_iter().next().ok_or(Error::RowNotFound)
}

fn addition<'a>(row: &SqliteRow, link: &'a Link, written_by: &'a str) -> Result<Addition<'a>, Error> {
    Ok(Addition {
        id: row.try_get(0)?,
        // Writers come one after the other here, so the row's number alone is its position.
        transaction: 0,
        written_by,
        created_at: row.try_get(1)?,
        hash: link.hash.as_bytes(),
    })
}
