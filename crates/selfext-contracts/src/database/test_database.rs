//! One fresh Postgres database for each test.

use std::{
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use sqlx::{Connection, PgConnection};
use url::Url;
use uuid::Uuid;

use super::{
    settings::{TEST_DATABASE_URL, variable},
    template::{self, run},
};

/// How long the end of a test waits until its database is dropped.
const PATIENCE: Duration = Duration::from_secs(1);

/// A Postgres database that one test has for itself. For tests only.
///
/// It stands on the server that `SELFEXT_TEST_DATABASE_URL` names, which `scripts/test` sees to. Dropping it drops the
/// database, and ends the connections that are still open on it.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    url: String,
    server: Url,
    present: bool,
}

impl TestDatabase {
    /// Makes a database with all Postgres migrations of the repository applied.
    ///
    /// It is copied from a template that the first test to ask for it makes, so this takes some tens of milliseconds.
    ///
    /// # Panics
    /// If there is no test server, or it refuses: a test cannot go on without one.
    pub async fn create() -> Self {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        Self::create_with(repository.join("migrations/postgres")).await
    }

    /// Makes a database with the migrations of a folder applied, as sqlx names and orders them.
    ///
    /// # Panics
    /// As [`TestDatabase::create`] does, and if a migration fails.
    pub async fn create_with(migrations: impl Into<PathBuf>) -> Self {
        let migrations = migrations.into();
        Self::make(Some(&migrations)).await.unwrap_or_else(|error| panic!("no test database: {error:#}"))
    }

    /// Makes a database that holds nothing, for tests of the migration itself.
    ///
    /// # Panics
    /// As [`TestDatabase::create`] does.
    pub async fn empty() -> Self {
        Self::make(None).await.unwrap_or_else(|error| panic!("no test database: {error:#}"))
    }

    /// The URL of the database.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The name of the database on its server.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URL of the server's own database: for what cannot be done from inside the test's, as making roles or
    /// refusing connections.
    #[must_use]
    pub fn server_url(&self) -> &str {
        self.server.as_str()
    }

    /// Drops the database, and ends the connections that are still open on it.
    ///
    /// A test that ends without calling this drops it all the same; this waits without blocking a thread, and fails
    /// where the database cannot be dropped.
    ///
    /// # Panics
    /// If the server refuses.
    pub async fn drop(mut self) {
        self.present = false;
        remove(&self.server, &self.name)
            .await
            .unwrap_or_else(|error| panic!("the test database stays behind: {error:#}"));
    }

    async fn make(migrations: Option<&Path>) -> Result<Self> {
        let server = variable(TEST_DATABASE_URL).context("run scripts/test")?;
        let server = Url::parse(&server).context("SELFEXT_TEST_DATABASE_URL is not a URL")?;
        let mut connection = PgConnection::connect(server.as_str())
            .await
            .context("the server that SELFEXT_TEST_DATABASE_URL names does not answer")?;
        let template = match migrations {
            Some(folder) => template::get_or_make(&mut connection, &server, folder).await?,
            None => "template0".to_owned(),
        };
        let name = new_name();
        run(&mut connection, format!(r#"CREATE DATABASE "{name}" TEMPLATE "{template}""#)).await?;
        connection.close().await?;

        let mut url = server.clone();
        url.set_path(&name);
        Ok(Self { name, url: url.into(), server, present: true })
    }
}

impl Drop for TestDatabase {
    /// Best effort: what stays behind goes with the server.
    fn drop(&mut self) {
        if !self.present {
            return;
        }
        let (server, name) = (self.server.clone(), self.name.clone());
        // A runtime of its own, on a thread of its own: this one may be inside the runtime of a test, which must not
        // be blocked on, or past the end of it.
        let (dropped, waiting) = mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let done = runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(remove(&server, &name)));
            // Nobody may wait any more.
            let _ = dropped.send(done);
        });
        // The server waits for a connection that is just being made, and this may block whoever makes it. So this gives way,
        // which ends that connection, and the database is dropped behind it.
        if let Ok(Err(error)) = waiting.recv_timeout(PATIENCE) {
            eprintln!("the test database {} stays behind: {error:#}", self.name);
        }
    }
}

async fn remove(server: &Url, name: &str) -> Result<()> {
    let mut connection = PgConnection::connect(server.as_str()).await?;
    run(&mut connection, format!(r#"DROP DATABASE IF EXISTS "{name}" WITH (FORCE)"#)).await?;
    connection.close().await?;
    Ok(())
}

fn new_name() -> String {
    #[expect(clippy::disallowed_methods, reason = "the name of a test's database is made here")]
    let id = Uuid::now_v7();
    format!("selfext_test_{}", id.simple())
}
