//! The framing of Postgres's protocol: a type, a length that counts itself, a body.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// Postgres itself refuses longer messages.
const LONGEST: usize = 1 << 30;

/// One message, as it stood on the wire.
#[derive(Debug)]
pub(super) struct Frame {
    /// The message's type; a start-up message has none.
    pub(super) kind: u8,
    pub(super) bytes: Vec<u8>,
}

/// Reads a message with a type, or `None` at the end of the stream.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Frame>> {
    let mut kind = [0];
    if stream.read(&mut kind).await? == 0 {
        return Ok(None);
    }
    let mut bytes = kind.to_vec();
    read_rest(stream, &mut bytes).await?;
    Ok(Some(Frame { kind: kind[0], bytes }))
}

/// Reads the message that opens a connection, and its code: a version or a request for something else.
pub(super) async fn read_opening(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<(u32, Vec<u8>)> {
    let mut bytes = Vec::new();
    read_rest(stream, &mut bytes).await?;
    let code = bytes
        .get(4..8)
        .and_then(|code| code.try_into().ok())
        .map(u32::from_be_bytes)
        .ok_or_else(|| io::Error::other("the opening message is too short"))?;
    Ok((code, bytes))
}

async fn read_rest(stream: &mut (impl AsyncRead + Unpin), bytes: &mut Vec<u8>) -> io::Result<()> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).await?;
    bytes.extend(length);
    let body = usize::try_from(u32::from_be_bytes(length))
        .ok()
        .and_then(|length| length.checked_sub(4))
        .filter(|length| *length <= LONGEST)
        .ok_or_else(|| io::Error::other("the message has an impossible length"))?;
    let start = bytes.len();
    bytes.resize(start + body, 0);
    stream.read_exact(&mut bytes[start..]).await?;
    Ok(())
}
