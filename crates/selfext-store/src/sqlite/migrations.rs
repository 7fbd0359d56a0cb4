//! The schema of a SQLite file.

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{Error, Row as _};

use super::SqliteDatabase;
use crate::schema;

/// Where the versions are recorded.
const TABLE: &str = "selfext_migrations";

/// The migrations that this binary knows.
pub(crate) fn migrator() -> Migrator {
    schema::in_own_table(sqlx::migrate!("../../migrations/sqlite"), TABLE)
}

/// The last version of the file's schema, if it has any.
pub(crate) async fn found_version(database: &SqliteDatabase) -> Result<Option<i64>, Error> {
    let table = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'selfext_migrations'";
    if sqlx::query(table).fetch_optional(&database.reader).await?.is_none() {
        return Ok(None);
    }
    let version = "SELECT max(version) FROM selfext_migrations WHERE success";
    sqlx::query(version).fetch_one(&database.reader).await?.try_get(0)
}

/// Brings the schema to the version that this binary knows, in one transaction: others who do so at the same time wait for
/// each other, which sqlx's migrations by themselves do not on SQLite.
pub(crate) async fn migrate(database: &SqliteDatabase) -> Result<(), MigrateError> {
    let mut transaction = database.writer.begin_with("BEGIN IMMEDIATE").await?;
    migrator().run_direct(None, &mut *transaction, false).await?;
    transaction.commit().await?;
    Ok(())
}
