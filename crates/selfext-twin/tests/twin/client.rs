//! A client that sends one request over one connection.

use std::io;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// An answer as it came over the wire.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub raw: Vec<u8>,
    pub body: Value,
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// A string member of the body.
    pub fn text(&self, pointer: &str) -> &str {
        let value = self.body.pointer(pointer);
        value.and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} in {self:?}"))
    }

    /// Asserts the status and GitHub's words for it.
    #[track_caller]
    pub fn refused(&self, status: u16, words: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert!(self.raw.is_empty() || self.text("/status") == status.to_string(), "{self:?}");
        let told = self.body.to_string();
        assert!(told.contains(&Value::from(words).to_string()[1..words.len()]), "{words:?} in {told}");
    }
}

/// Sends a request and reads the answer; a connection that ends before the answer is whole is an error.
pub async fn send(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(address).await?;
    let extra: String = headers.iter().flat_map(|(name, value)| [*name, ": ", *value, "\r\n"]).collect();
    let length = body.len();
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{extra}Content-Length: {length}\r\n\r\n"
    );
    stream.write_all(&[head.as_bytes(), body].concat()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    let cut = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").ok_or_else(cut)?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let raw = bytes[end + 4..].to_vec();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(cut)?;
    let mut answer = Answer { status, head, raw, body: Value::Null };
    let promised = answer.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    if answer.raw.len() < promised {
        return Err(cut());
    }
    answer.body = serde_json::from_slice(&answer.raw).unwrap_or_default();
    Ok(answer)
}
