//! Telling GitHub's deliveries from others.

use std::sync::{Mutex, PoisonError};

use http::HeaderMap;
use selfext_domain::RepositoryName;

use super::deliveries::Deliveries;
use super::event;
use super::secret::WebhookSecret;

/// The longest id of a delivery; GitHub's have 36 characters.
const LONGEST_ID: usize = 128;

/// What a delivery of GitHub's is to those who wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Something about the repository may have changed: it is worth to ask.
    News,
    /// It was delivered before.
    Replayed,
    /// It is about another repository, or about nothing that anybody waits for.
    Ignored,
}

/// Why a request is not taken for a delivery of GitHub's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookRefused {
    /// It has no signature, more than one, or one that is none.
    #[error("it has no signature in X-Hub-Signature-256")]
    Unsigned,
    /// The signature is not that of this body with this secret.
    #[error("the signature is wrong")]
    WrongSignature,
    /// It is signed, and lacks one of GitHub's headers, or its body is none of GitHub's. A webhook whose content type is a form
    /// sends such bodies: it has to be set to `application/json`.
    #[error("it is not what GitHub sends with the content type application/json")]
    Unreadable,
}

/// Receives the deliveries of one repository's webhook. Safe to share.
#[derive(Debug)]
pub struct WebhookReceiver {
    repository: RepositoryName,
    secret: WebhookSecret,
    seen: Mutex<Deliveries>,
}

impl WebhookReceiver {
    /// The longest body that a server should read before it asks, in bytes: 1 MiB. GitHub sends up to 25 MB, which only pushes of
    /// thousands of commits come to; what they tell of is found when the forge is next asked.
    pub const MAX_BODY: usize = 1024 * 1024;

    /// A receiver that has seen nothing yet.
    #[must_use]
    pub fn new(repository: RepositoryName, secret: &WebhookSecret) -> Self {
        Self { repository, secret: secret.clone(), seen: Mutex::default() }
    }

    /// The repository whose deliveries it takes.
    #[must_use]
    pub const fn repository(&self) -> &RepositoryName {
        &self.repository
    }

    /// Looks at a request's headers and its body, byte for byte as it came. Nothing of the body is read before its signature is
    /// found right.
    ///
    /// # Errors
    /// [`WebhookRefused`] if it does not come from GitHub, or cannot be read.
    pub fn receive(&self, headers: &HeaderMap, body: &[u8]) -> Result<Delivery, WebhookRefused> {
        let tag = signature(headers).ok_or(WebhookRefused::Unsigned)?;
        if !self.secret.signed(body, &tag) {
            return Err(WebhookRefused::WrongSignature);
        }
        let event = only(headers, "x-github-event").ok_or(WebhookRefused::Unreadable)?;
        if !event::tells(event) {
            return Ok(Delivery::Ignored);
        }
        let id = only(headers, "x-github-delivery").filter(|id| (1..=LONGEST_ID).contains(&id.len()));
        let id = id.ok_or(WebhookRefused::Unreadable)?;
        if !event::is_about(body, &self.repository).ok_or(WebhookRefused::Unreadable)? {
            return Ok(Delivery::Ignored);
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(if seen.is_new(id, tag) { Delivery::News } else { Delivery::Replayed })
    }
}

/// The value of a header that is there once, in visible ASCII.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() { None } else { value.to_str().ok() }
}

/// The tag that a delivery names, if it is one by its form.
fn signature(headers: &HeaderMap) -> Option<[u8; 32]> {
    let digits = only(headers, "x-hub-signature-256")?.strip_prefix("sha256=")?;
    let mut tag = [0; 32];
    hex::decode_to_slice(digits, &mut tag).ok()?;
    Some(tag)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};
    use ring::hmac;

    use super::*;

    const SECRET: &str = "a secret of the tests";
    const BODY: &str = r#"{"action":"completed","repository":{"id":1,"full_name":"Octo-Org/Agent"}}"#;

    fn receiver() -> WebhookReceiver {
        WebhookReceiver::new(RepositoryName::parse("octo-org/agent").unwrap(), &WebhookSecret::parse(SECRET).unwrap())
    }

    fn signed(secret: &str, body: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        format!("sha256={}", hex::encode(hmac::sign(&key, body.as_bytes())))
    }

    fn headers(named: &[(&'static str, &str)]) -> HeaderMap {
        let header = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        named.iter().map(header).collect()
    }

    fn delivery(event: &str, id: &str, body: &str) -> HeaderMap {
        headers(&[("x-github-event", event), ("x-github-delivery", id), ("x-hub-signature-256", &signed(SECRET, body))])
    }

    #[test]
    fn each_event_that_may_change_the_gate_is_news() {
        for event in
            ["status", "check_run", "check_suite", "pull_request", "pull_request_review", "push", "merge_group"]
        {
            assert_eq!(receiver().receive(&delivery(event, "1", BODY), BODY.as_bytes()), Ok(Delivery::News), "{event}");
        }
        for event in ["ping", "issues", "installation", "", "STATUS"] {
            let received = receiver().receive(&delivery(event, "1", BODY), BODY.as_bytes());
            assert_eq!(received, Ok(Delivery::Ignored), "{event}");
        }
    }

    #[test]
    fn what_is_not_signed_with_the_secret_is_refused() {
        let receiver = receiver();
        let right = signed(SECRET, BODY);
        let cut = &right[..right.len() - 2];
        let (longer, sha1) = (format!("{right}00"), right.replace("sha256", "sha1"));
        for (signature, refused) in [
            (signed("another secret of the tests", BODY).as_str(), WebhookRefused::WrongSignature),
            (&signed(SECRET, "{}"), WebhookRefused::WrongSignature),
            (&format!("sha256={}", "0".repeat(64)), WebhookRefused::WrongSignature),
            (cut, WebhookRefused::Unsigned),
            (&longer, WebhookRefused::Unsigned),
            (&sha1, WebhookRefused::Unsigned),
            ("sha256=", WebhookRefused::Unsigned),
            ("", WebhookRefused::Unsigned),
        ] {
            let mut headers = delivery("status", "1", BODY);
            headers.insert("x-hub-signature-256", HeaderValue::from_str(signature).unwrap());
            assert_eq!(receiver.receive(&headers, BODY.as_bytes()), Err(refused), "{signature}");
        }
        let mut twice = delivery("status", "1", BODY);
        twice.append("x-hub-signature-256", HeaderValue::from_str(&right).unwrap());
        let unsigned = headers(&[("x-github-event", "status"), ("x-github-delivery", "1")]);
        for headers in [twice, unsigned] {
            assert_eq!(receiver.receive(&headers, BODY.as_bytes()), Err(WebhookRefused::Unsigned));
        }
        // None of them is remembered.
        assert_eq!(receiver.receive(&delivery("status", "1", BODY), BODY.as_bytes()), Ok(Delivery::News));
    }

    #[test]
    fn a_delivery_that_comes_again_is_no_news_under_another_id_either() {
        let receiver = receiver();
        let other = BODY.replace("completed", "created");
        for (id, body, expected) in [
            ("1", BODY, Delivery::News),
            ("1", BODY, Delivery::Replayed),
            ("2", BODY, Delivery::Replayed),
            ("1", other.as_str(), Delivery::Replayed),
            ("2", other.as_str(), Delivery::News),
        ] {
            assert_eq!(
                receiver.receive(&delivery("check_run", id, body), body.as_bytes()),
                Ok(expected),
                "{id} {body}"
            );
        }
    }

    #[test]
    fn other_repositories_are_ignored_and_what_github_does_not_send_is_unreadable() {
        let receiver = receiver();
        for body in [r#"{"repository":{"full_name":"octo-org/agent2"}}"#, r#"{"repository":null}"#, "{}"] {
            let received = receiver.receive(&delivery("push", "1", body), body.as_bytes());
            assert_eq!(received, Ok(Delivery::Ignored), "{body}");
        }
        for body in ["", "payload=%7B%7D", "[]", r#"{"repository":"octo-org/agent"}"#] {
            let received = receiver.receive(&delivery("push", "1", body), body.as_bytes());
            assert_eq!(received, Err(WebhookRefused::Unreadable), "{body}");
        }
        for missing in ["x-github-event", "x-github-delivery"] {
            let mut headers = delivery("push", "1", BODY);
            headers.remove(missing);
            assert_eq!(receiver.receive(&headers, BODY.as_bytes()), Err(WebhookRefused::Unreadable), "{missing}");
        }
        let long = delivery("push", &"1".repeat(129), BODY);
        assert_eq!(receiver.receive(&long, BODY.as_bytes()), Err(WebhookRefused::Unreadable));
    }
}
