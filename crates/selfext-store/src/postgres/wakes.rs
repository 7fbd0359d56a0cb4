//! Wakes followers after a write.
//!
//! A notification in the transaction of every write would take a lock that all writers share. So it is sent afterwards, by
//! a task of its own on a connection of its own, once for all writes of a short while. A write never waits for it, and none
//! fails with it. What is not sent, because the process ended or the connection is lost, followers find when they poll.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, Error, Executor as _, PgConnection};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::connections::{connect, late};

/// The channel that followers listen on. A notification says that there is something to read, and nothing else.
pub(super) const CHANNEL: &str = "selfext_events";

const NOTIFY: &str = "NOTIFY selfext_events";

/// The time between two notifications, at least. The first after a rest is sent at once.
const GAP: Duration = Duration::from_millis(100);

/// The time between two new connections, at least: where they are lost all the time, telling is not worth what they cost.
const CONNECTION_GAP: Duration = Duration::from_secs(5);

/// How long the connection is kept when there is nothing to tell.
const REST: Duration = Duration::from_mins(1);

/// How long the server may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Tells followers of writes.
#[derive(Debug)]
pub(super) struct Wakes {
    options: PgConnectOptions,
    /// To the task, while there is one. It holds one message: whoever finds it full is spoken for by the one in it.
    task: Mutex<Option<Sender<()>>>,
}

impl Wakes {
    pub fn new(options: PgConnectOptions) -> Self {
        // There is nothing to make durable, and the lock is not to be held while the disk is waited for.
        let options = options.application_name("selfext wakes").options([("synchronous_commit", "off")]);
        Self { options, task: Mutex::default() }
    }

    /// Something was written. Answers at once.
    pub fn send(&self) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = task.as_ref().map(|task| task.try_send(()));
        if matches!(sent, None | Some(Err(TrySendError::Closed(())))) {
            let (sender, receiver) = channel(1);
            // There is room for one.
            let _ = sender.try_send(());
            tokio::spawn(tell(self.options.clone(), receiver));
            *task = Some(sender);
        }
    }
}

/// Tells until nobody can write any more, or nobody has for a while.
async fn tell(options: PgConnectOptions, mut written: Receiver<()>) {
    let mut voice = Voice { options, connection: None, connects_from: Instant::now() };
    loop {
        match timeout(REST, written.recv()).await {
            Ok(Some(())) => {}
            Ok(None) => break,
            // Closed first, so that a write of this moment is either found here or begins a new task.
            Err(_) => {
                written.close();
                if written.try_recv().is_err() {
                    break;
                }
            }
        }
        if let Err(error) = voice.notify().await {
            tracing::debug!(%error, "followers are not told; they find it when they poll");
        }
        sleep(GAP).await;
    }
    if let Some(connection) = voice.connection {
        // The server notices it anyway.
        let _ = timeout(PATIENCE, connection.close()).await;
    }
}

/// The connection that notifications are sent on.
struct Voice {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
    /// From when on a new one may be made.
    connects_from: Instant,
}

impl Voice {
    /// Sends a notification; on a new connection if there is none, or if it died while it rested.
    async fn notify(&mut self) -> Result<(), Error> {
        if let Some(connection) = self.connection.take()
            && self.notify_on(connection).await.is_ok()
        {
            return Ok(());
        }
        sleep_until(self.connects_from).await;
        self.connects_from = Instant::now() + CONNECTION_GAP;
        let connection = connect(&self.options).await?;
        self.notify_on(connection).await
    }

    /// Keeps the connection if it is well.
    async fn notify_on(&mut self, mut connection: PgConnection) -> Result<(), Error> {
        timeout(PATIENCE, connection.execute(NOTIFY))
            .await
            .unwrap_or_else(|_| Err(late("the answer does not come")))?;
        self.connection = Some(connection);
        Ok(())
    }
}
