//! The database that fresh ones are copied from.

use std::{fmt::Write, path::Path};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Connection, PgConnection, migrate::Migrator};
use url::Url;

/// Makes processes that want the same template wait for the first of them. Any number does, if no one else takes it.
const LOCK: i64 = 0x7365_6c66_6578_7474;

/// Where the store of selfext looks for the versions of its schema.
const VERSIONS: &str = "public.selfext_migrations";

/// The name of a database with the migrations of a folder applied, made if it is not there yet.
///
/// A folder that is missing or empty gives an empty template. The name tells the migrations' content, so a template of
/// older migrations is never taken for one of newer ones. No one can connect to a template, which is what lets it be
/// copied at any time.
pub(super) async fn get_or_make(server: &mut PgConnection, server_url: &Url, migrations: &Path) -> Result<String> {
    let migrator = read(migrations).await?;
    let name = name_for(&migrator);
    if exists(server, &name).await? {
        return Ok(name);
    }
    // The connection's end frees the lock too, so an error below leaves nothing locked.
    run(server, "SET lock_timeout = '60s'").await?;
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(LOCK)
        .execute(&mut *server)
        .await
        .context("another process makes the template, and does not get done")?;
    if !exists(server, &name).await? {
        make(server, server_url, &name, &migrator).await?;
    }
    sqlx::query("SELECT pg_advisory_unlock($1)").bind(LOCK).execute(&mut *server).await?;
    Ok(name)
}

async fn read(migrations: &Path) -> Result<Migrator> {
    let mut migrator = if migrations.exists() {
        Migrator::new(migrations)
            .await
            .with_context(|| format!("cannot read the migrations in {}", migrations.display()))?
    } else {
        Migrator::with_migrations(Vec::new())
    };
    migrator.dangerous_set_table_name(VERSIONS);
    Ok(migrator)
}

fn name_for(migrator: &Migrator) -> String {
    let mut hash = Sha256::new();
    for migration in migrator.iter() {
        hash.update(migration.version.to_be_bytes());
        hash.update(&migration.checksum);
    }
    let mut name = "selfext_template_".to_owned();
    for byte in &hash.finalize()[..8] {
        // Writing to a string cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

/// Makes the template under another name first, so that one whose migration failed or was killed is never used.
async fn make(server: &mut PgConnection, server_url: &Url, name: &str, migrator: &Migrator) -> Result<()> {
    let draft = format!("{name}_draft");
    run(server, format!(r#"DROP DATABASE IF EXISTS "{draft}" WITH (FORCE)"#)).await?;
    run(server, format!(r#"CREATE DATABASE "{draft}""#)).await?;

    let mut url = server_url.clone();
    url.set_path(&draft);
    let mut connection = PgConnection::connect(url.as_str()).await?;
    // `Migrator::run` gives a future that cannot be sent to another thread; this one, which it calls, can.
    migrator.run_direct(None, &mut connection, false).await.context("the migrations fail")?;
    connection.close().await?;

    run(server, format!(r#"ALTER DATABASE "{draft}" WITH ALLOW_CONNECTIONS false"#)).await?;
    run(server, format!(r#"ALTER DATABASE "{draft}" RENAME TO "{name}""#)).await
}

async fn exists(server: &mut PgConnection, name: &str) -> Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)")
        .bind(name)
        .fetch_one(server)
        .await
        .context("cannot look for the template")
}

/// Runs one statement as it is. Names of databases cannot be bound as parameters; ours are made here, of safe letters.
pub(super) async fn run(server: &mut PgConnection, statement: impl Into<String>) -> Result<()> {
    let statement = statement.into();
    sqlx::raw_sql(AssertSqlSafe(statement.clone()))
        .execute(server)
        .await
        .with_context(|| format!("`{statement}` fails"))?;
    Ok(())
}
