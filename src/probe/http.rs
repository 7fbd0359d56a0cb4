//! Asking an agent over HTTP.

use std::error::Error;

use bytes::Bytes;
use http::{Request, Uri, header};
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use selfext_domain::error_chain;
use url::Url;

use super::{InvalidProbe, Look, MOST, answer};

/// Asks one address. Each question is a connection of its own: what answers is what runs now.
#[derive(Debug)]
pub(super) struct HttpProbe {
    uri: Uri,
    shown: String,
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
}

impl HttpProbe {
    pub(super) fn new(address: &str) -> Result<Self, InvalidProbe> {
        let wrong = |error: &dyn Error| InvalidProbe::Address(error.to_string());
        let mut url = Url::parse(address).map_err(|error| wrong(&error))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidProbe::Address("it names a user, and the rules are no place for passwords".to_owned()));
        }
        url.set_fragment(None);
        let uri = url.as_str().parse().map_err(|error: http::uri::InvalidUri| wrong(&error))?;
        url.set_query(None);
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
            .map_err(|error| wrong(&error))?
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Ok(Self { uri, shown: url.into(), client })
    }

    /// The address, for people.
    pub(super) fn shown(&self) -> String {
        self.shown.clone()
    }

    pub(super) async fn ask(&self) -> Look {
        let request = Request::get(self.uri.clone())
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, "selfext")
            .body(Empty::new());
        let answered = match request {
            Ok(request) => self.client.request(request).await,
            Err(error) => return Look::nothing(&format!("it cannot be asked: {error}")),
        };
        let (head, body) = match answered {
            Ok(response) => response.into_parts(),
            Err(error) => return Look::nothing(&format!("it did not answer: {}", error_chain(&error))),
        };
        let body = match Limited::new(body, MOST).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => return answer::too_long(),
            Err(error) => return Look::nothing(&format!("its answer broke off: {error}")),
        };
        let unwell = (!head.status.is_success()).then(|| format!("status {}", head.status.as_u16()));
        answer::read(&body, unwell.as_deref())
    }
}
