//! Deliveries of webhooks.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::routing::any;
use http_body_util::LengthLimitError;
use selfext::{Delivery, Operations, WebhookReceiver, WebhookRefused};

struct Desk {
    receiver: WebhookReceiver,
    operations: Operations,
    patience: Duration,
}

/// Takes deliveries at any path, whose bodies come within this time.
pub fn service(receiver: WebhookReceiver, operations: Operations, patience: Duration) -> Router {
    Router::new().fallback(any(answer)).with_state(Arc::new(Desk { receiver, operations, patience }))
}

async fn answer(State(desk): State<Arc<Desk>>, request: Request) -> (StatusCode, &'static str) {
    if request.method() != Method::POST {
        return (StatusCode::METHOD_NOT_ALLOWED, "webhooks are delivered with POST\n");
    }
    let (head, body) = request.into_parts();
    match read(body, desk.patience).await {
        Ok(body) => desk.take(&head.headers, &body).await,
        Err(refused) => refused,
    }
}

/// The whole body, if it comes soon and is not too large.
async fn read(body: Body, patience: Duration) -> Result<Bytes, (StatusCode, &'static str)> {
    match tokio::time::timeout(patience, to_bytes(body, WebhookReceiver::MAX_BODY)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) if is_too_large(&error) => {
            Err((StatusCode::PAYLOAD_TOO_LARGE, "the body has more than 1 MiB\n"))
        }
        Ok(Err(_)) => Err((StatusCode::BAD_REQUEST, "the body could not be read\n")),
        Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "the body took too long\n")),
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    error.source().and_then(<dyn std::error::Error>::downcast_ref::<LengthLimitError>).is_some()
}

impl Desk {
    async fn take(&self, headers: &HeaderMap, body: &[u8]) -> (StatusCode, &'static str) {
        match self.receiver.receive(headers, body) {
            Ok(Delivery::News) => match self.operations.wake(self.receiver.repository()).await {
                Ok(()) => (StatusCode::ACCEPTED, "waiting promotions look now\n"),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "nobody could be told of a delivery");
                    (StatusCode::SERVICE_UNAVAILABLE, "waiting promotions could not be told\n")
                }
            },
            Ok(Delivery::Replayed) => (StatusCode::ACCEPTED, "this was delivered before\n"),
            Ok(Delivery::Ignored) => (StatusCode::ACCEPTED, "nobody waits for this\n"),
            Err(refused @ (WebhookRefused::Unsigned | WebhookRefused::WrongSignature)) => {
                tracing::warn!(%refused, "a request is not GitHub's");
                (StatusCode::UNAUTHORIZED, "the signature is missing or wrong\n")
            }
            Err(refused @ WebhookRefused::Unreadable) => {
                tracing::warn!(%refused, "a delivery cannot be read");
                (StatusCode::BAD_REQUEST, "set the webhook's content type to application/json\n")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use selfext::{DatabaseUrl, RepositoryName, WebhookSecret};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::super::connections::Connections;
    use super::*;

    /// What the server answers to these bytes of a request, until it closes the connection.
    async fn answer_to(request: &str, life: Duration, patience: Duration) -> String {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("ledger.sqlite").display());
        let operations = Operations::open(&DatabaseUrl::parse(&url).unwrap()).await.unwrap();
        let secret = WebhookSecret::parse("a secret of the tests").unwrap();
        let receiver = WebhookReceiver::new(RepositoryName::parse("o/agent").unwrap(), &secret);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let served = axum::serve(Connections::new(listener, life), service(receiver, operations, patience));
        let server = tokio::spawn(served.into_future());
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // A connection that is cut off rather than closed may give an error after what was sent.
        let _ = stream.read_to_end(&mut answer).await;
        server.abort();
        String::from_utf8(answer).unwrap()
    }

    const LONG: Duration = Duration::from_mins(1);
    const SHORT: Duration = Duration::from_millis(100);
    const HEAD: &str = "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 100\r\n";

    #[tokio::test]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let answer = answer_to(&format!("{HEAD}\r\nhalf"), LONG, SHORT).await;
        assert!(answer.starts_with("HTTP/1.1 408") && answer.ends_with("took too long\n"), "{answer}");
    }

    #[tokio::test]
    async fn a_head_that_does_not_end_is_cut_off() {
        assert_eq!(answer_to(HEAD, SHORT, LONG).await, "");
    }
}
