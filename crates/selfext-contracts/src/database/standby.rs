//! A standby of a private server, for what a failover loses.

use std::{
    process::{Command, Output},
    time::Duration,
};

use anyhow::{Context, Result};
use sqlx::{Connection, PgConnection};
use tokio::time::{interval, timeout};
use url::Url;

use super::cluster::PrivateCluster;

/// How long a standby may take for what it is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(10);

/// A server that follows a [`PrivateCluster`] by streaming replication, and can take its place. For tests only.
///
/// Replication is asynchronous: the primary answers a commit without asking the standby. Everything that the primary
/// has is in the standby too, its roles and passwords among it. Dropping it stops it and removes its data; the primary
/// is left alone, and need not be there any more.
#[derive(Debug)]
pub struct Standby {
    server: PrivateCluster,
    primary: String,
}

impl PrivateCluster {
    /// Makes a standby of this server; it follows, and answers those who only read, when this returns.
    ///
    /// # Errors
    /// If the server cannot be copied, or the standby does not start.
    pub async fn standby(&self) -> Result<Standby> {
        let (place, primary) = (self.place_beside()?, self.url().to_owned());
        tokio::task::spawn_blocking(move || {
            let server = copy(place, &primary)?;
            Ok(Standby { server, primary })
        })
        .await
        .context("starting the standby was cut short")?
    }

    /// Stops the server as a crash would, and leaves it down. Its data stays; [`PrivateCluster::crash_and_restart`]
    /// brings it back.
    ///
    /// # Errors
    /// If it was not running.
    pub async fn kill(&self) -> Result<()> {
        let mut stop = self.control("stop");
        stop.args(["-m", "immediate", "-t", "60", "-w"]);
        self.run(stop, "pg_ctl stop").await
    }
}

impl Standby {
    /// The URL of its database `postgres`, for the superuser: read-only until [`Standby::promote`].
    #[must_use]
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// The standby as a server of its own, which it is once it was promoted.
    #[must_use]
    pub const fn server(&self) -> &PrivateCluster {
        &self.server
    }

    /// Waits until everything that the primary has committed by now can be read here.
    ///
    /// # Errors
    /// If the primary does not answer, or this takes more than a minute.
    pub async fn caught_up(&self) -> Result<()> {
        let mut primary = PgConnection::connect(&self.primary).await.context("the primary does not answer")?;
        let position: String =
            sqlx::query_scalar("SELECT pg_current_wal_flush_lsn()::text").fetch_one(&mut primary).await?;
        let mut standby = self.connect().await?;
        until("replay what the primary has", async || {
            sqlx::query_scalar("SELECT coalesce(pg_last_wal_replay_lsn() >= $1::text::pg_lsn, false)")
                .bind(&position)
                .fetch_one(&mut standby)
                .await
        })
        .await
    }

    /// Cuts it off from the primary: nothing that the primary commits from here on reaches it.
    ///
    /// # Errors
    /// If it does not let go of the primary within a minute.
    pub async fn cut_off(&self) -> Result<()> {
        let mut standby = self.connect().await?;
        sqlx::raw_sql("ALTER SYSTEM SET primary_conninfo = ''").execute(&mut standby).await?;
        sqlx::raw_sql("SELECT pg_reload_conf()").execute(&mut standby).await?;
        until("let go of the primary", async || {
            // The setting is looked at too: a receiver that has ended by itself would be started again.
            sqlx::query_scalar(
                "SELECT current_setting('primary_conninfo') = '' AND NOT EXISTS (SELECT FROM pg_stat_wal_receiver)",
            )
            .fetch_one(&mut standby)
            .await
        })
        .await
    }

    /// Makes it a primary; it takes writes when this returns. Whether the old primary lives makes no difference.
    ///
    /// # Errors
    /// If it stays a standby.
    pub async fn promote(&self) -> Result<()> {
        let mut promote = self.server.control("promote");
        promote.args(["-t", "60", "-w"]);
        self.server.run(promote, "pg_ctl promote").await?;
        let mut connection = self.connect().await?;
        until("end its recovery", async || {
            sqlx::query_scalar("SELECT NOT pg_is_in_recovery()").fetch_one(&mut connection).await
        })
        .await
    }

    async fn connect(&self) -> Result<PgConnection> {
        PgConnection::connect(self.url()).await.context("the standby does not answer")
    }
}

/// Copies a running server, with what makes the copy follow it, and starts the copy on a port of its own.
fn copy(mut standby: PrivateCluster, primary: &str) -> Result<PrivateCluster> {
    let mut url = Url::parse(primary).context("the primary's URL is none")?;
    let password = url.password().unwrap_or_default().to_owned();
    let done: Output = copying(&standby, &url, &password).output().context("cannot run pg_basebackup")?;
    standby.check("pg_basebackup", &done)?;
    let port = standby.start_on_a_free_port()?;
    url.set_port(Some(port)).map_err(|()| anyhow::anyhow!("the URL takes no port"))?;
    standby.set_url(url.into());
    Ok(standby)
}

fn copying(standby: &PrivateCluster, primary: &Url, password: &str) -> Command {
    let mut command = standby.program("pg_basebackup");
    command
        .args(["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync", "--no-password"])
        .args(["--username", primary.username(), "--host", primary.host_str().unwrap_or("127.0.0.1")])
        .args(["--port", &primary.port().unwrap_or(5432).to_string()])
        .arg("--pgdata")
        .arg(standby.data_folder())
        // It is written into the copy's settings, for the copy to follow with.
        .env("PGPASSWORD", password);
    command
}

/// Waits until a server says so.
async fn until(what: &str, mut reached: impl AsyncFnMut() -> Result<bool, sqlx::Error>) -> Result<()> {
    let waiting = async {
        let mut looks = interval(LOOK);
        loop {
            looks.tick().await;
            if reached().await? {
                return Ok(());
            }
        }
    };
    timeout(PATIENCE, waiting).await.with_context(|| format!("the standby does not {what}"))?
}
