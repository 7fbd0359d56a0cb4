//! The schema of a Postgres database.

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{Connection as _, Error, Row as _};

use super::Connections;
use crate::schema;

/// Where the versions are recorded. In `public`, as everything else.
const TABLE: &str = "public.selfext_migrations";

/// The migrations that this binary knows.
pub(crate) fn migrator() -> Migrator {
    schema::in_own_table(sqlx::migrate!("../../migrations/postgres"), TABLE)
}

/// The last version of the database's schema, if it has any. One round trip, two with a new connection.
pub(crate) async fn found_version(connections: &Connections) -> Result<Option<i64>, Error> {
    let version = "SELECT max(version) FROM public.selfext_migrations WHERE success";
    match connections.fetch(|| sqlx::query(version)).await {
        Ok(rows) => rows.first().map_or(Ok(None), |row| row.try_get(0)),
        // There is no such table.
        Err(Error::Database(error)) if error.code().as_deref() == Some("42P01") => Ok(None),
        Err(error) => Err(error),
    }
}

/// Brings the schema to the version that this binary knows, and gives each role what it needs. Others who do so at the same time
/// wait for each other. Answers why there are no roles, if they could not be made: the schema works without them, for whoever
/// owns it.
pub(crate) async fn migrate(connections: &Connections) -> Result<Option<String>, MigrateError> {
    let mut connection = connections.dedicated().await?;
    // What `Migrator::run` does, as a future that may move between threads.
    migrator().run_direct(None, &mut connection, false).await?;
    let roles = "SELECT public.self_extension_make_roles()";
    let missing = sqlx::query_scalar(roles).fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(missing)
}
