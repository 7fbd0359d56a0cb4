//! What is heard of what others do: what a follower hears of writes, and whoever waits for the forge of it.

use std::sync::Arc;
use std::time::Duration;

use sqlx::Error;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::connections::late;

/// How long it may take to begin to listen.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long the first and the longest pause is before it is tried again.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// After this long a silent connection is made anew: something between here and the server may have forgotten it.
const LONGEST_SILENCE: Duration = Duration::from_mins(10);

/// Listens on a connection of its own, in a task of its own, until it is dropped.
#[derive(Debug)]
pub(super) struct Ear {
    told: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Ear {
    /// Begins to listen on a channel.
    pub fn listen(options: PgConnectOptions, channel: String) -> Self {
        let told = Arc::new(Notify::new());
        let task = tokio::spawn(hear(options.application_name("selfext listens"), channel, Arc::clone(&told)));
        Self { told, task }
    }

    /// Waits until there may be something new since the last time: it was told, or it may have missed what was told. May be
    /// dropped; nothing is forgotten.
    pub async fn heard(&self) {
        self.told.notified().await;
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn hear(options: PgConnectOptions, channel: String, told: Arc<Notify>) {
    let mut pause = PAUSES.0;
    loop {
        match timeout(PATIENCE, listener(&options, &channel))
            .await
            .unwrap_or_else(|_| Err(late("the server does not answer")))
        {
            Ok(mut listener) => {
                pause = PAUSES.0;
                // What was written until now was told to nobody here.
                told.notify_one();
                while let Ok(Ok(Some(_))) = timeout(LONGEST_SILENCE, listener.try_recv()).await {
                    told.notify_one();
                }
                // If the server is gone, whoever looks now finds out.
                told.notify_one();
            }
            Err(error) => {
                tracing::debug!(%error, channel, "nobody tells of anything new; it is found by polling");
                pause = (pause * 2).min(PAUSES.1);
            }
        }
        sleep(pause).await;
    }
}

async fn listener(options: &PgConnectOptions, channel: &str) -> Result<PgListener, Error> {
    let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
    let mut listener = PgListener::connect_with(&pool.connect_lazy_with(options.clone())).await?;
    listener.ignore_pool_close_event(true);
    listener.eager_reconnect(false);
    listener.listen(channel).await?;
    Ok(listener)
}
