//! Connections that can be cut from inside a request.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Accepts connections that can be cut.
pub(super) struct CuttableListener(pub(super) TcpListener);

/// A connection that stops writing when it is told to.
pub(super) struct CuttableStream {
    stream: TcpStream,
    scissors: Scissors,
}

/// Cuts the connection that a request came over.
#[derive(Clone, Default)]
pub(super) struct Scissors(Arc<Mutex<Cut>>);

#[derive(Clone, Copy, Default)]
enum Cut {
    #[default]
    Never,
    /// Nothing more is written.
    Now,
    /// The head of the next answer is written, and this many bytes of its body.
    InBody(usize),
    /// This many bytes more are written.
    After(usize),
}

impl Scissors {
    /// Lets nothing more out.
    pub(super) fn cut(&self) {
        self.set(Cut::Now);
    }

    /// Lets out the head of the answer that comes next and `bytes` of its body.
    pub(super) fn cut_in_body(&self, bytes: usize) {
        self.set(Cut::InBody(bytes));
    }

    fn set(&self, cut: Cut) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = cut;
    }

    /// How many of these bytes may be written; `None` if the connection is cut.
    fn allowed(&self, data: &[u8]) -> Option<usize> {
        let mut cut = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Cut::InBody(bytes) = *cut {
            // The server writes the whole head before or together with the body.
            let head = data.windows(4).position(|window| window == b"\r\n\r\n");
            *cut = Cut::After(head.map_or(0, |end| end + 4) + bytes);
        }
        match *cut {
            Cut::Never => Some(data.len()),
            Cut::Now | Cut::After(0) => None,
            Cut::InBody(left) | Cut::After(left) => Some(left.min(data.len())),
        }
    }

    fn written(&self, bytes: usize) {
        let mut cut = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Cut::After(left) = &mut *cut {
            *left = left.saturating_sub(bytes);
        }
    }
}

impl Listener for CuttableListener {
    type Io = CuttableStream;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Without this a small answer may wait 40 ms for the client's acknowledgement of the one before.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its send delay");
        }
        let scissors = Scissors::default();
        (CuttableStream { stream, scissors }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, CuttableListener>> for Scissors {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        stream.io().scissors.clone()
    }
}

impl AsyncRead for CuttableStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let Some(allowed) = self.scissors.allowed(data) else {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        };
        let written = Pin::new(&mut self.stream).poll_write(cx, &data[..allowed]);
        if let Poll::Ready(Ok(bytes)) = written {
            self.scissors.written(bytes);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_in_the_body_lets_the_head_and_part_of_the_body_out() {
        let scissors = Scissors::default();
        let answer = b"HTTP/1.1 200 OK\r\n\r\n0123456789";
        assert_eq!(scissors.allowed(answer), Some(answer.len()));
        scissors.cut_in_body(4);
        assert_eq!(scissors.allowed(answer), Some(19 + 4));
        scissors.written(20);
        assert_eq!(scissors.allowed(b"more"), Some(3));
        scissors.written(3);
        assert_eq!(scissors.allowed(b"more"), None);
    }
}
