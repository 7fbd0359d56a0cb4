//! The last bytes of an output.

use std::collections::VecDeque;
use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Keeps the last bytes of what passes, and counts all of it.
#[derive(Debug)]
pub(crate) struct Tail {
    kept: VecDeque<u8>,
    limit: usize,
    total: u64,
}

impl Tail {
    pub(crate) const fn new(limit: usize) -> Self {
        Self { kept: VecDeque::new(), limit, total: 0 }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.total = self.total.saturating_add(bytes.len() as u64);
        let bytes = &bytes[bytes.len().saturating_sub(self.limit)..];
        let over = (self.kept.len() + bytes.len()).saturating_sub(self.limit);
        self.kept.drain(..over);
        self.kept.extend(bytes);
    }

    /// Takes everything until the end of a stream. May be dropped at any time: what was read is kept.
    pub(crate) async fn read(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
        let mut chunk = vec![0; 16 * 1024];
        loop {
            match stream.read(&mut chunk).await? {
                0 => return Ok(()),
                read => self.push(&chunk[..read]),
            }
        }
    }

    /// As [`read`](Self::read), but stops once more than so many bytes have passed; answers whether the stream ended before.
    pub(crate) async fn read_at_most(&mut self, stream: &mut (impl AsyncRead + Unpin), most: u64) -> io::Result<bool> {
        let mut chunk = vec![0; 64 * 1024];
        loop {
            match stream.read(&mut chunk).await? {
                0 => return Ok(true),
                read => self.push(&chunk[..read]),
            }
            if self.total > most {
                return Ok(false);
            }
        }
    }

    pub(crate) const fn limit(&self) -> usize {
        self.limit
    }

    /// How many bytes passed.
    pub(crate) const fn total(&self) -> u64 {
        self.total
    }

    /// Whether everything was kept.
    pub(crate) fn is_whole(&self) -> bool {
        self.total == self.kept.len() as u64
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.kept.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_bytes_are_kept_and_all_are_counted() {
        for chunk in [1, 2, 3, 5, 100] {
            let mut tail = Tail::new(4);
            for part in b"abcdefghij".chunks(chunk) {
                tail.push(part);
            }
            assert_eq!((tail.total(), tail.is_whole()), (10, false));
            assert_eq!(tail.into_bytes(), b"ghij", "{chunk}");
        }
        let mut short = Tail::new(4);
        short.push(b"abcd");
        assert!(short.is_whole());
        assert_eq!(short.into_bytes(), b"abcd");
    }
}
