//! Webhooks: what GitHub tells by itself.
//!
//! A delivery is a hint that it is worth to ask GitHub again, and nothing more: what it says is never believed. It is taken for
//! GitHub's if its body is signed with the secret that was given to GitHub, which is compared in constant time.
//!
//! A delivery that is sent again wakes nobody. GitHub's id of a delivery is not part of what is signed, so that its signature is
//! remembered as well: the same body under another id is a replay too. Both are remembered for a bounded number of deliveries; an
//! older one that is sent again moves one question to GitHub forward, and does no other harm.
//!
//! [`WebhookReceiver`] knows no server. An agent that has one mounts it there, and bounds body and time itself:
//!
//! ```
//! use http::HeaderMap;
//! use selfext_domain::RepositoryName;
//! use selfext_github::{Delivery, WebhookReceiver, WebhookSecret};
//!
//! # fn example(from_a_file: &str, headers: &HeaderMap, body: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
//! let secret = WebhookSecret::parse(from_a_file)?;
//! let receiver = WebhookReceiver::new(RepositoryName::parse("octo-org/agent")?, &secret);
//! if receiver.receive(headers, body)? == Delivery::News {
//!     // Wake those who wait.
//! }
//! # Ok(()) }
//! ```

mod deliveries;
mod event;
mod receiver;
mod secret;

pub use receiver::{Delivery, WebhookReceiver, WebhookRefused};
pub use secret::{InvalidWebhookSecret, WebhookSecret};
