//! A bell on SQLite: a file beside the database's that grows when it is rung.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use selfext_domain::RepositoryName;
use sqlx::Error;
use tokio::fs::{OpenOptions, metadata};
use tokio::io::AsyncWriteExt as _;
use tokio::time::sleep;

use super::SqliteDatabase;
use crate::bell::word;

/// The time between two looks at the file.
const LOOK: Duration = Duration::from_millis(250);

/// How long the file may become, in bytes, before it begins anew.
const LONGEST: u64 = 64 * 1024;

/// A bell on SQLite.
pub(crate) struct SqliteBell {
    path: PathBuf,
    /// How long the file was when it was last heard. At first nothing is known, so that the first look hears it.
    heard: AtomicU64,
}

impl SqliteBell {
    pub fn new(database: &SqliteDatabase, repository: &RepositoryName) -> Self {
        let mut path = database.options.get_filename().as_os_str().to_owned();
        path.push(format!("-forge-{}", word(repository)));
        Self { path: path.into(), heard: AtomicU64::new(u64::MAX) }
    }

    pub async fn ring(&self) -> Result<(), Error> {
        let mut options = OpenOptions::new();
        // Only appended to, so that of two who ring at once neither is lost.
        let mut file = options.append(true).create(true).open(&self.path).await.map_err(Error::Io)?;
        if file.metadata().await.map_err(Error::Io)?.len() >= LONGEST {
            file.set_len(0).await.map_err(Error::Io)?;
        }
        file.write_all(b".").await.map_err(Error::Io)?;
        file.flush().await.map_err(Error::Io)
    }

    pub async fn heard(&self) {
        loop {
            let length = match metadata(&self.path).await {
                Ok(found) => found.len(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
                Err(error) => {
                    tracing::debug!(%error, "nobody tells of the forge; it is asked at its times");
                    self.heard.load(Ordering::Relaxed)
                }
            };
            // From here to the return nothing waits, so that what is heard is also answered.
            if self.heard.swap(length, Ordering::Relaxed) != length {
                return;
            }
            sleep(LOOK).await;
        }
    }
}
