//! Looking at a running agent from outside, as the rules of its base say.

mod answer;
mod command;
mod http;

use std::sync::Arc;

use selfext_domain::{CommitSha, InvalidValue, ProbeRules, ProbeTarget, Reporter};

use crate::heartbeat::reporter;
use command::CommandProbe;
use http::HttpProbe;

/// The most bytes of an answer. What is longer is no answer.
const MOST: usize = 64 * 1024;

/// What a look at an agent found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// The agent, or what stands for it, said which commit runs.
    Seen {
        /// That commit.
        commit: CommitSha,
        /// Whether it is well.
        healthy: bool,
        /// What it said beside that; redacted, and cut to what a heartbeat holds.
        detail: Option<String>,
    },
    /// Nobody said which commit runs, or not in time: no sample of any commit, so that silence decides.
    Nothing {
        /// What was seen instead, for people; redacted.
        detail: String,
    },
}

/// Looks at an agent. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Probe {
    target: Arc<Target>,
    reporter: Reporter,
    rules: ProbeRules,
}

#[derive(Debug)]
enum Target {
    Http(Box<HttpProbe>),
    Command(CommandProbe),
}

/// Why a probe cannot be one.
#[derive(Debug, thiserror::Error)]
pub enum InvalidProbe {
    /// Its address.
    #[error("the probe's address cannot be asked: {0}")]
    Address(String),
    /// What it would call itself.
    #[error(transparent)]
    Reporter(#[from] InvalidValue),
}

impl Probe {
    /// A probe by the rules of a base. Nothing is asked yet.
    ///
    /// # Errors
    /// [`InvalidProbe`] for an address that the rules take and no request can be made of.
    pub fn new(rules: &ProbeRules) -> Result<Self, InvalidProbe> {
        let (target, name) = match &rules.target {
            ProbeTarget::Http(url) => {
                let probe = HttpProbe::new(url)?;
                let name = probe.shown();
                (Target::Http(Box::new(probe)), name)
            }
            ProbeTarget::Command(command) => {
                (Target::Command(CommandProbe::new(command.clone())), command.first().cloned().unwrap_or_default())
            }
        };
        let reporter = reporter(&format!("probe {name}"))?;
        Ok(Self { target: Arc::new(target), reporter, rules: rules.clone() })
    }

    /// The rules that it looks by.
    #[must_use]
    pub const fn rules(&self) -> &ProbeRules {
        &self.rules
    }

    /// Who it is in the heartbeats that are recorded of it: `probe` and what it asks, without a password or a query.
    #[must_use]
    pub const fn reporter(&self) -> &Reporter {
        &self.reporter
    }

    /// Takes one look, which ends within the rules' time limit whatever is answered. An answer that comes later, that is longer
    /// than 64 KiB, or that is not of the documented form, is none. Redirects are not followed, and no proxy is asked. May be
    /// dropped at any moment; a program that was started ends with it.
    pub async fn look(&self) -> Look {
        let asked = async {
            match &*self.target {
                Target::Http(probe) => probe.ask().await,
                Target::Command(probe) => probe.ask().await,
            }
        };
        match tokio::time::timeout(self.rules.timeout, asked).await {
            Ok(look) => look,
            Err(_) => Look::nothing(&format!("no answer within {} s", self.rules.timeout.as_secs_f64())),
        }
    }
}

impl Look {
    fn nothing(detail: &str) -> Self {
        Self::Nothing { detail: crate::heartbeat::worded(detail).unwrap_or_default() }
    }
}
