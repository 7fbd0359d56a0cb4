//! The forge port of selfext on GitHub's API, through octocrab.
//!
//! [`OctocrabForge`] speaks to GitHub, to a GitHub Enterprise Server and to the twin. Each call of the port is one or a
//! few bounded requests: octocrab's own retries are off, every request has limits on time and on the size of its answer,
//! and a request is sent only to a URL that is built from checked parts and found to lie inside the one repository, or to the
//! GraphQL endpoint beside it.
//!
//! A first publication is one GraphQL mutation where that can make exactly the tested commit, and REST requests everywhere else.
//!
//! What is repeated, and only that: reads and refused requests whose answer contradicts what GitHub itself said a moment
//! ago, a few times with pauses ([`Patience`]); what GitHub refused because of its limits, after their end; a request whose token
//! of an App's GitHub does not take any more, once with a new one; and a request that GitHub answered by saying that the
//! repository was renamed. A merge is asked for once.
//!
//! All forges of one token in a process share its limits ([`Budget`]): while GitHub asks to wait nobody sends anything,
//! writes go one after another, and an answer that did not change since it was last read is not counted by GitHub and not
//! sent again (entity tags).
//!
//! The repository is the one with the number that its name leads to when the client is first used, or with the number that was
//! told: it is followed where it is renamed to, and another one under its name is refused. Redirects are followed inside the API
//! alone, so that a credential goes nowhere else.
//!
//! ```no_run
//! use selfext_domain::RepositoryName;
//! use selfext_github::{OctocrabForge, SecretToken};
//!
//! # fn example(from_the_environment: &str) -> Result<OctocrabForge, Box<dyn std::error::Error>> {
//! let forge = OctocrabForge::builder(RepositoryName::parse("octo-org/agent")?)
//!     .token(SecretToken::parse(from_the_environment)?)
//!     .build()?;
//! # Ok(forge)
//! # }
//! ```

mod access;
mod answer;
mod binding;
mod branch_rules;
mod builder;
mod client;
mod comments;
mod commits;
mod credentials;
mod fence;
mod forge;
mod git_access;
mod graphql;
mod merge;
mod message;
mod paging;
mod patience;
mod publish;
mod pulls;
mod rate_limit;
mod redirect;
mod refs;
mod rests;
mod retire;
mod reviews;
mod route;
mod share;
mod statuses;
mod survey;
mod teams;
mod timeouts;
mod token;
mod transport;
mod webhooks;
mod wire;

pub use access::{Access, Right};
pub use builder::{BuildError, OctocrabForgeBuilder};
pub use credentials::{AppKey, GithubApp, InvalidAppId, InvalidAppKey};
pub use forge::OctocrabForge;
pub use git_access::GitAccess;
pub use patience::Patience;
pub use route::InvalidBase;
pub use share::Budget;
pub use timeouts::Timeouts;
pub use token::{InvalidToken, SecretToken};
pub use webhooks::{Delivery, InvalidWebhookSecret, WebhookReceiver, WebhookRefused, WebhookSecret};
