//! Finds a Postgres server for the tests.

use std::{fmt, time::Duration};

use anyhow::{Context, Result, bail};
use sqlx::{Connection, PgConnection};
use tokio::time::timeout;
use url::Url;

use super::{
    cluster::PrivateCluster,
    container::{self, PostgresContainer},
    settings::{DATA_FOLDER, PROGRAMS, TEST_DATABASE_URL, WAY, variable},
};

const WAY_OUT: &str = "no Postgres server for the tests. Do one of these: set SELFEXT_TEST_DATABASE_URL to the URL of \
     a server whose role may create databases; start Docker; install PostgreSQL (on Debian and Ubuntu: \
     `apt-get install postgresql`)";

/// How long a given server may take to answer.
const ANSWER: Duration = Duration::from_secs(20);

/// The Postgres server that a run of the tests stands on.
///
/// [`TestServer::find`] takes the first of these that there is: the server that `SELFEXT_TEST_DATABASE_URL` names; a
/// container, if a Docker daemon answers; a private cluster of the Postgres that is installed, or that apt-get can
/// install. `SELFEXT_TEST_POSTGRES` (`url`, `container` or `cluster`) allows one of them alone.
#[derive(Debug)]
pub struct TestServer {
    source: Source,
    version: String,
}

#[derive(Debug)]
enum Source {
    Given(Url),
    Container(Box<PostgresContainer>),
    Cluster(PrivateCluster),
}

impl TestServer {
    /// Finds or starts a server; it takes connections when this returns.
    ///
    /// `name` is the name that a container gets. If this future is dropped before it is done, call
    /// [`TestServer::clean_up`] with the same name.
    ///
    /// # Errors
    /// If there is none. The message says what was tried and what to do.
    pub async fn find(name: &str) -> Result<Self> {
        let source = match variable(WAY).as_deref() {
            None => Self::first_of_all(name).await.context(WAY_OUT)?,
            Some("url") => {
                Self::given()?.context("SELFEXT_TEST_POSTGRES is `url`, but SELFEXT_TEST_DATABASE_URL is not set")?
            }
            Some("container") => PostgresContainer::start(name)
                .await
                .map(|started| Source::Container(Box::new(started)))
                .context("SELFEXT_TEST_POSTGRES is `container`, but there is none")?,
            Some("cluster") => PrivateCluster::start()
                .await
                .map(Source::Cluster)
                .context("SELFEXT_TEST_POSTGRES is `cluster`, but there is none")?,
            Some(other) => bail!("SELFEXT_TEST_POSTGRES is `{other}`; it may be `url`, `container` or `cluster`"),
        };
        let version = timeout(ANSWER, version_of(source.url()))
            .await
            .context("the Postgres server does not answer")?
            .with_context(|| format!("the Postgres server is of no use: {source}"))?;
        Ok(Self { source, version })
    }

    async fn first_of_all(name: &str) -> Result<Source> {
        if let Some(given) = Self::given()? {
            return Ok(given);
        }
        if container::docker_answers().await {
            match PostgresContainer::start(name).await {
                Ok(started) => return Ok(Source::Container(Box::new(started))),
                Err(error) => {
                    eprintln!("no container: {error:#}; trying a private cluster instead");
                }
            }
        }
        PrivateCluster::start().await.map(Source::Cluster)
    }

    fn given() -> Result<Option<Source>> {
        variable(TEST_DATABASE_URL)
            .map(|url| Url::parse(&url).map(Source::Given))
            .transpose()
            .context("SELFEXT_TEST_DATABASE_URL is not a URL")
    }

    /// Removes what a [`TestServer::find`] that was dropped half way may have left behind.
    pub async fn clean_up(name: &str) {
        container::remove(name).await;
    }

    /// The variables that tests need in their environment.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![(TEST_DATABASE_URL, self.source.url().to_owned())];
        if let Source::Cluster(cluster) = &self.source {
            variables.extend([
                (DATA_FOLDER, cluster.data_folder().display().to_string()),
                (PROGRAMS, cluster.programs().display().to_string()),
            ]);
        }
        variables
    }

    /// Stops what [`TestServer::find`] started; a server that was given is left alone.
    ///
    /// # Errors
    /// If something of it stays behind.
    pub async fn stop(self) -> Result<()> {
        match self.source {
            Source::Given(_) => Ok(()),
            Source::Container(container) => container.stop().await,
            Source::Cluster(cluster) => cluster.stop().await,
        }
    }
}

impl fmt::Display for TestServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgreSQL {}, {}", self.version, self.source)
    }
}

impl Source {
    fn url(&self) -> &str {
        match self {
            Self::Given(url) => url.as_str(),
            Self::Container(container) => &container.url,
            Self::Cluster(cluster) => cluster.url(),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Never the whole URL: it may hold a password.
            Self::Given(url) => {
                let host = url.host_str().unwrap_or("a local socket");
                write!(f, "given by {TEST_DATABASE_URL} ({host})")
            }
            Self::Container(container) => {
                write!(f, "in a container of {}", container.image)
            }
            Self::Cluster(cluster) => {
                let programs = cluster.programs().display();
                write!(f, "in a private cluster of {programs}")
            }
        }
    }
}

async fn version_of(url: &str) -> Result<String, sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    let version: String = sqlx::query_scalar("SHOW server_version").fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(version)
}
