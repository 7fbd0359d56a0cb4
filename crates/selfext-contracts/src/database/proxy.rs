//! A Postgres proxy that counts round trips and breaks connections on command.

mod connection;
mod frames;
mod state;

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use url::Url;

use self::state::{Fault, State};

/// The host and the port of a server.
type Upstream = (String, u16);

/// A TCP proxy on loopback in front of a Postgres server. For tests only.
///
/// It counts the round trips of all connections together: a simple query, a `Sync` and a `Flush` are one each. What
/// comes before a connection takes queries (start-up, password) is not counted. Preparing a statement for the first
/// time on a connection is a round trip of its own, as it is on the wire.
///
/// The fault methods number the requests that end in an answer (simple queries and `Sync`s) from the moment they are
/// called, on all connections together: `1` is the next one. A fault strikes once, on the connection that sends that
/// request; calling another fault method, or [`PgProxy::disarm`], replaces it.
///
/// The connections on which the store wakes followers are cut as all others are, but they are neither counted nor do faults
/// strike on their requests: they come when they like, beside what is counted.
///
/// TLS is refused, as a server without a certificate does, so a URL with `sslmode=require` does not work.
#[derive(Debug)]
pub struct PgProxy {
    url: String,
    upstream: Arc<Mutex<Upstream>>,
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

impl PgProxy {
    /// Starts a proxy in front of the server of a `postgres://` URL. It ends when it is dropped, and with the runtime
    /// that it was started in.
    ///
    /// # Panics
    /// If the URL names no host, or loopback has no free port.
    pub async fn start(url: &str) -> Self {
        Self::bind(url).await.unwrap_or_else(|error| panic!("no proxy in front of Postgres: {error}"))
    }

    async fn bind(url: &str) -> io::Result<Self> {
        let mut url = Url::parse(url).map_err(io::Error::other)?;
        let upstream = Arc::new(Mutex::new(upstream_of(&url)?));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let SocketAddr::V4(address) = listener.local_addr()? else {
            return Err(io::Error::other("loopback is not an IPv4 address"));
        };
        url.set_host(Some("127.0.0.1")).map_err(io::Error::other)?;
        url.set_port(Some(address.port())).map_err(|()| io::Error::other("the URL takes no port"))?;

        let state = Arc::new(State::default());
        let accepting = tokio::spawn(accept(listener, Arc::clone(&upstream), Arc::clone(&state)));
        Ok(Self { url: url.into(), upstream, state, accepting })
    }

    /// The URL of the same database through the proxy.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Leads to another server from here on, as a failover does, and cuts all connections that there are.
    ///
    /// # Panics
    /// If the URL names no host.
    pub fn lead_to(&self, url: &str) {
        let upstream = Url::parse(url).map_err(io::Error::other).and_then(|url| upstream_of(&url));
        let upstream = upstream.unwrap_or_else(|error| panic!("nothing to lead to: {error}"));
        *self.upstream.lock().unwrap_or_else(PoisonError::into_inner) = upstream;
        self.cut_connections();
    }

    /// How many round trips there were since the start or the last [`PgProxy::reset`].
    #[must_use]
    pub fn round_trips(&self) -> u64 {
        self.state.round_trips()
    }

    /// Begins to count at zero again.
    pub fn reset(&self) {
        self.state.reset();
    }

    /// Cuts all connections that there are. New ones are taken.
    pub fn cut_connections(&self) {
        self.state.cut_connections();
    }

    /// Loses the `n`-th request: its connection is cut, and the server never sees it.
    pub fn kill_before(&self, n: u64) {
        self.state.arm(n, Fault::LoseRequest);
    }

    /// Loses the answer to the `n`-th request: the server carries it out, and when it has, the connection is cut. So
    /// once the client sees its connection cut, the request has been carried out.
    pub fn kill_after(&self, n: u64) {
        self.state.arm(n, Fault::LoseAnswer);
    }

    /// As [`PgProxy::kill_before`], and from then on the server is out of reach: all connections are cut and new ones
    /// end at once, until [`PgProxy::disarm`] or the next fault.
    pub fn go_down_before(&self, n: u64) {
        self.state.arm_lasting(n, Fault::LoseRequest);
    }

    /// As [`PgProxy::kill_after`], and from then on the server is out of reach, as after [`PgProxy::go_down_before`].
    pub fn go_down_after(&self, n: u64) {
        self.state.arm_lasting(n, Fault::LoseAnswer);
    }

    /// Keeps the `n`-th request from the server, with its connection open, until [`PgProxy::disarm`] lets it through.
    pub fn hold_before(&self, n: u64) {
        self.state.arm(n, Fault::HoldRequest);
    }

    /// Keeps the answer to the `n`-th request from the client, with its connection open, until [`PgProxy::disarm`] lets
    /// it through.
    pub fn hold_after(&self, n: u64) {
        self.state.arm(n, Fault::HoldAnswer);
    }

    /// Waits until the fault that was set last has struck: the request is lost or held, or it was carried out and its
    /// answer is lost or held. Answers at once if that is so already; without a fault set, it waits for ever.
    pub async fn struck(&self) {
        self.state.struck().await;
    }

    /// Takes back a fault that has not struck, lets through what one holds, and brings the server back into reach.
    pub fn disarm(&self) {
        self.state.disarm();
    }
}

impl Drop for PgProxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.state.cut_connections();
    }
}

fn upstream_of(url: &Url) -> io::Result<Upstream> {
    let host = url.host_str().ok_or_else(|| io::Error::other("the URL names no host"))?;
    Ok((host.to_owned(), url.port().unwrap_or(5432)))
}

async fn accept(listener: TcpListener, upstream: Arc<Mutex<Upstream>>, state: Arc<State>) {
    while let Ok((client, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        let cut = state.cut();
        // Asked after listening for cuts, so that no connection slips through while the server goes down.
        if state.is_down() {
            continue;
        }
        let upstream = upstream.lock().unwrap_or_else(PoisonError::into_inner).clone();
        tokio::spawn(async move {
            let serve = async {
                let server = TcpStream::connect(upstream).await?;
                connection::serve(client, server, &state).await
            };
            tokio::select! {
                // A cut comes first: what is sent after it must not get through.
                biased;
                () = cut => {}
                // Either side may end a connection at any time; the other side then sees its end too.
                _ = serve => {}
            }
        });
    }
}

#[cfg(test)]
mod tests;
