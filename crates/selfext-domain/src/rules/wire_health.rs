//! The part of the rules file that is about health windows, as it is written.

use std::time::Duration;

use serde::Deserialize;

use super::wire::{in_range, value};
use super::{BreakerRules, HealthRules, ProbeRules, ProbeTarget, RulesError};
use crate::HealthTerms;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireHealth {
    start_seconds: Option<u64>,
    healthy_seconds: Option<u64>,
    samples: Option<u64>,
    error_budget: Option<u64>,
    silence_seconds: Option<u64>,
    window_seconds: Option<u64>,
    #[serde(default)]
    queue: bool,
    probe: Option<WireProbe>,
    #[serde(default)]
    breaker: WireBreaker,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireProbe {
    url: Option<String>,
    command: Option<Vec<String>>,
    interval_seconds: Option<u64>,
    timeout_seconds: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct WireBreaker {
    rollbacks: Option<u64>,
    within_seconds: Option<u64>,
}

impl WireHealth {
    pub(super) fn read(self) -> Result<HealthRules, RulesError> {
        let default = HealthTerms::default();
        let number = |key: &str, given: Option<u64>, default: u32, least: u64, most: u64| {
            in_range(&format!("health.{key}"), given, u64::from(default), least, most)
                .map(|number| u32::try_from(number).unwrap_or(u32::MAX))
        };
        let terms = HealthTerms {
            start_seconds: number("start_seconds", self.start_seconds, default.start_seconds, 1, WEEK)?,
            healthy_seconds: number("healthy_seconds", self.healthy_seconds, default.healthy_seconds, 1, WEEK)?,
            samples: number("samples", self.samples, default.samples, 1, 1_000_000)?,
            error_budget: number("error_budget", self.error_budget, default.error_budget, 0, 1_000_000)?,
            silence_seconds: number("silence_seconds", self.silence_seconds, default.silence_seconds, 1, WEEK)?,
            window_seconds: number("window_seconds", self.window_seconds, default.window_seconds, 1, WEEK)?,
        };
        let least = u64::from(terms.start_seconds) + u64::from(terms.healthy_seconds);
        if u64::from(terms.window_seconds) < least {
            return Err(value(format!(
                "health.window_seconds is {}, and start_seconds and healthy_seconds together are {least}; no change could pass",
                terms.window_seconds
            )));
        }
        if terms.error_budget >= terms.samples {
            return Err(value(format!(
                "health.error_budget is {} and samples {}; a change that is never well would pass",
                terms.error_budget, terms.samples
            )));
        }
        Ok(HealthRules {
            terms,
            queue: self.queue,
            probe: self.probe.map(|probe| probe.read(&terms)).transpose()?,
            breaker: self.breaker.read()?,
        })
    }
}

const WEEK: u64 = 604_800;

impl WireProbe {
    fn read(self, terms: &HealthTerms) -> Result<ProbeRules, RulesError> {
        let target = match (self.url, self.command) {
            (Some(url), None) => {
                let after = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).unwrap_or_default();
                if after.is_empty()
                    || after.starts_with('/')
                    || url.contains(|c: char| c.is_whitespace() || c.is_control())
                {
                    return Err(value(format!(
                        "health.probe.url is {url:?}; it is an address that begins with http:// or https://"
                    )));
                }
                ProbeTarget::Http(url)
            }
            (None, Some(command)) => {
                if command.first().is_none_or(String::is_empty) || command.iter().any(|part| part.contains('\0')) {
                    return Err(value("health.probe.command names no program, or contains NUL".to_owned()));
                }
                ProbeTarget::Command(command)
            }
            _ => return Err(value("health.probe names either a url or a command".to_owned())),
        };
        let seconds = |key, given, default, most| in_range(key, given, default, 1, most).map(Duration::from_secs);
        let silence = u64::from(terms.silence_seconds);
        let interval = seconds("health.probe.interval_seconds", self.interval_seconds, 10.min(silence), silence)?;
        let timeout = seconds("health.probe.timeout_seconds", self.timeout_seconds, 5, 3_600)?;
        Ok(ProbeRules { target, interval, timeout })
    }
}

impl WireBreaker {
    fn read(&self) -> Result<BreakerRules, RulesError> {
        let default = BreakerRules::default();
        let rollbacks = in_range("health.breaker.rollbacks", self.rollbacks, default.rollbacks.into(), 1, 1_000)?;
        let within =
            in_range("health.breaker.within_seconds", self.within_seconds, default.within.as_secs(), 60, 31_536_000)?;
        Ok(BreakerRules {
            rollbacks: u32::try_from(rollbacks).unwrap_or(u32::MAX),
            within: Duration::from_secs(within),
        })
    }
}
