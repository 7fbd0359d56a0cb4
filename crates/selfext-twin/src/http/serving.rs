//! The server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::any;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::connection::{CuttableListener, Scissors};
use super::exchange::{Shared, answer};
use crate::error::TwinError;
use crate::handle::TwinHandle;
use crate::world::{Custody, World};

/// How long clients that keep their connections busy can delay the end.
const PATIENCE: Duration = Duration::from_secs(5);

/// A twin that is being served.
///
/// Dropping it stops the server as [`shutdown`](Self::shutdown) does, but without waiting for the end: until then the
/// repository is still in use.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    handle: TwinHandle,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
}

impl Serving {
    /// The address that the twin listens on, with the port that it got if port 0 was asked for.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// Where the API is served, such as `http://127.0.0.1:40000`, with the path of the configuration and without a slash at the
    /// end.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.handle.api()
    }

    /// The handle of the twin.
    #[must_use]
    pub fn handle(&self) -> TwinHandle {
        self.handle.clone()
    }

    /// Stops the server: no request is taken any more, those under way are finished, those that wait for a fault or
    /// a gate are dropped undone. When this returns, the repository can be opened by another twin.
    pub async fn shutdown(mut self) {
        drop(self.stop.take());
        if let Some(mut server) = self.server.take()
            && tokio::time::timeout(PATIENCE, &mut server).await.is_err()
        {
            server.abort();
            // Waiting for it makes sure that what it held is let go.
            let _ = server.await;
        }
    }
}

/// Begins to serve a twin.
pub(crate) async fn serve(world: Arc<World>, custody: Custody, address: SocketAddr) -> Result<Serving, TwinError> {
    if !address.ip().is_loopback() && world.config.require_token.is_none() && world.config.github_app.is_none() {
        return Err(TwinError::NotLoopback(address));
    }
    let cannot_listen = |source| TwinError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(cannot_listen)?;
    let address = listener.local_addr().map_err(cannot_listen)?;
    world.set_site(format!("http://{address}"));

    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(run(Arc::clone(&world), custody, listener, stopped));
    Ok(Serving { address, handle: TwinHandle::new(world), stop: Some(stop), server: Some(server) })
}

/// Serves until told to stop, then waits for the last request before letting the repository go.
async fn run(world: Arc<World>, custody: Custody, listener: TcpListener, stopped: oneshot::Receiver<()>) {
    let (busy, mut idle) = mpsc::channel(1);
    let shared = Arc::new(Shared { world: Arc::clone(&world), _busy: busy });
    let service =
        Router::new().fallback(any(answer)).with_state(shared).into_make_service_with_connect_info::<Scissors>();
    let closing = Arc::clone(&world);
    let server = axum::serve(CuttableListener(listener), service).with_graceful_shutdown(async move {
        // An error means that the sender was dropped, which asks for the same.
        let _ = stopped.await;
        closing.begin_closing();
    });
    let (served, ()) = tokio::join!(server.into_future(), world.merge_in_background());
    if let Err(error) = served {
        tracing::error!(%error, "the twin's server failed");
    }
    let _ = idle.recv().await;
    // Not needed for anything but people and tests, who find the whole state in one file.
    if let Err(error) = world.store.lock().await.save_whole() {
        tracing::warn!(error = &error as &dyn std::error::Error, "the twin's state stays in two files");
    }
    drop(custody);
}
