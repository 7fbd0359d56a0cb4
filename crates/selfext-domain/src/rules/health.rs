//! The rules of health windows.

use std::time::Duration;

use crate::HealthTerms;

/// How promoted changes prove themselves. Rules without them open no windows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthRules {
    /// What a promoted change has to show.
    pub terms: HealthTerms,
    /// Whether a promotion waits in line while a window is open, rather than being refused.
    pub queue: bool,
    /// How selfext looks at the agent itself, beside what the agent reports.
    pub probe: Option<ProbeRules>,
    /// How many rollbacks, within how long, pause promotion.
    pub breaker: BreakerRules,
}

/// How selfext looks at the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeRules {
    /// What is asked.
    pub target: ProbeTarget,
    /// How long from one look to the next.
    pub interval: Duration,
    /// How long one look may take. An agent that takes longer is not well.
    pub timeout: Duration,
}

/// What a probe asks. Either answers with a JSON object: `{"commit": "…"}`, and optionally `"healthy"` and `"detail"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeTarget {
    /// An address, over HTTP. An answer with another status than 2xx is of an agent that is not well.
    Http(String),
    /// A program with its arguments. One that does not end with 0 is of an agent that is not well.
    Command(Vec<String>),
}

/// When repeated harm pauses promotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerRules {
    /// After how many rollbacks.
    pub rollbacks: u32,
    /// Within how long.
    pub within: Duration,
}

impl Default for BreakerRules {
    /// Three in a day.
    fn default() -> Self {
        Self { rollbacks: 3, within: Duration::from_hours(24) }
    }
}
