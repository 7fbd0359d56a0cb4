//! One connection through the proxy.

use std::{
    future, io,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use super::{
    frames::{self, Frame},
    state::{Fault, State},
};

const CANCEL_REQUEST: u32 = 80_877_102;
const TLS_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;

/// The names that the store gives to its connections that wake followers.
const ASIDE: [&[u8]; 2] = [b"selfext wakes", b"selfext listens"];

/// What the two directions of a connection tell each other.
#[derive(Debug)]
struct Link<'a> {
    state: &'a State,
    /// How many messages were sent that end in `ReadyForQuery`; the start-up is the first.
    requests: AtomicU64,
    /// The answer that something is to happen to, and what.
    marked: Mutex<Option<(u64, Fault)>>,
}

/// Passes messages on until either side ends the connection or a fault does.
pub(super) async fn serve(client: TcpStream, server: TcpStream, state: &State) -> io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, mut to_client) = client.into_split();
    let (from_server, mut to_server) = server.into_split();
    let mut from_client = BufReader::new(from_client);

    loop {
        let (code, bytes) = frames::read_opening(&mut from_client).await?;
        if matches!(code, TLS_REQUEST | GSS_REQUEST) {
            to_client.write_all(b"N").await?;
            continue;
        }
        to_server.write_all(&bytes).await?;
        if code == CANCEL_REQUEST {
            return Ok(());
        }
        if is_aside(&bytes) {
            let mut from_server = from_server;
            return tokio::select! {
                ended = tokio::io::copy(&mut from_client, &mut to_server) => ended.map(drop),
                ended = tokio::io::copy(&mut from_server, &mut to_client) => ended.map(drop),
            };
        }
        break;
    }

    let link = Link { state, requests: AtomicU64::new(1), marked: Mutex::new(None) };
    tokio::select! {
        ended = link.pass_requests(from_client, to_server) => ended,
        ended = link.pass_answers(BufReader::new(from_server), to_client) => ended,
    }
}

/// Whether the start-up message is of a connection that wakes followers.
fn is_aside(opening: &[u8]) -> bool {
    const NAME: &[u8] = b"application_name";
    let mut words = opening.get(8..).unwrap_or_default().split(|byte| *byte == 0);
    words.any(|word| word == NAME) && words.next().is_some_and(|name| ASIDE.contains(&name))
}

impl Link<'_> {
    async fn pass_requests(
        &self,
        mut client: impl AsyncRead + Unpin,
        mut server: impl AsyncWrite + Unpin,
    ) -> io::Result<()> {
        // A request is sent on whole, so that one which is lost is lost from its first message on.
        let mut request = Vec::new();
        while let Some(Frame { kind, bytes }) = frames::read(&mut client).await? {
            request.extend(bytes);
            match kind {
                // Parse, Bind, Describe, Execute, Close: their request goes on.
                b'P' | b'B' | b'D' | b'E' | b'C' => continue,
                // Flush
                b'H' => self.state.count_round_trip(),
                // Sync, Query
                b'S' | b'Q' => {
                    self.state.count_round_trip();
                    let number = self.requests.fetch_add(1, Ordering::SeqCst) + 1;
                    match self.state.next_request() {
                        None => {}
                        Some(Fault::LoseRequest) => {
                            self.state.strike();
                            return Ok(());
                        }
                        Some(Fault::HoldRequest) => {
                            self.state.strike();
                            self.state.let_through().await;
                        }
                        Some(fault) => self.mark(Some((number, fault))),
                    }
                }
                _ => {}
            }
            server.write_all(&request).await?;
            request.clear();
            if self.is_marked(Fault::LoseAnswer) {
                // The answer ends the connection.
                future::pending::<()>().await;
            }
        }
        Ok(())
    }

    async fn pass_answers(
        &self,
        mut server: impl AsyncRead + Unpin,
        mut client: impl AsyncWrite + Unpin,
    ) -> io::Result<()> {
        let mut answers = 0;
        let mut kept = Vec::new();
        while let Some(Frame { kind, bytes }) = frames::read(&mut server).await? {
            let fault = self.marked_for(answers + 1);
            if fault.is_some() {
                kept.extend(bytes);
            } else {
                client.write_all(&bytes).await?;
            }
            // CopyInResponse and CopyBothResponse: the server waits for the client's data.
            let waits_for_client = matches!(kind, b'G' | b'W');
            // ReadyForQuery
            let is_ready = kind == b'Z';
            if let Some(fault) = fault
                && (is_ready || waits_for_client)
            {
                self.state.strike();
                if fault == Fault::LoseAnswer {
                    return Ok(());
                }
                self.state.let_through().await;
                self.mark(None);
                client.write_all(&kept).await?;
                kept.clear();
            }
            if is_ready {
                answers += 1;
            }
        }
        Ok(())
    }

    fn mark(&self, marked: Option<(u64, Fault)>) {
        *self.marked.lock().unwrap_or_else(PoisonError::into_inner) = marked;
    }

    fn marked_for(&self, answer: u64) -> Option<Fault> {
        let marked = *self.marked.lock().unwrap_or_else(PoisonError::into_inner);
        marked.filter(|(number, _)| *number == answer).map(|(_, fault)| fault)
    }

    fn is_marked(&self, fault: Fault) -> bool {
        let marked = *self.marked.lock().unwrap_or_else(PoisonError::into_inner);
        marked.is_some_and(|(_, marked)| marked == fault)
    }
}
