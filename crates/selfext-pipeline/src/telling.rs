//! Telling those who look what a promotion waits for.

use std::pin::pin;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::future::{Either, select};
use selfext_domain::{ContextFinding, ContextVerdict, RunId, TeamName};

use crate::Pipeline;

/// How long a promotion that waits no more is held up at most by saying so.
const LAST_WORD: Duration = Duration::from_secs(1);

/// How many contexts or teams are named.
const NAMED: usize = 5;

/// What one drive of a run has told of its waiting. For people alone: that it could not be told changes nothing, and is not tried
/// again.
pub(crate) struct Telling<'a> {
    pipeline: &'a Pipeline,
    run: RunId,
    told: Option<String>,
}

impl<'a> Telling<'a> {
    pub(crate) const fn of(pipeline: &'a Pipeline, run: RunId) -> Self {
        Self { pipeline, run, told: None }
    }

    /// Waits, and tells meanwhile what for and until when at most, unless that is told already. The waiting takes no longer for it.
    pub(crate) async fn during(&mut self, what: String, until: DateTime<Utc>, waiting: impl Future<Output = ()>) {
        let Some(waits) = self.pipeline.waits.as_ref().filter(|_| self.told.as_ref() != Some(&what)) else {
            return waiting.await;
        };
        let what = &*self.told.insert(what);
        let left = (until - self.pipeline.ports.clock.now()).to_std().unwrap_or_default();
        let telling = waits.begin(&self.run, &self.pipeline.config.holder, what, left);
        if let Either::Left((_, waiting)) = select(telling, pin!(waiting)).await {
            waiting.await;
        }
    }

    /// Tells that the waiting is over, if any was told.
    pub(crate) async fn over(&mut self) {
        if let (Some(waits), Some(_)) = (&self.pipeline.waits, self.told.take()) {
            let telling = waits.end(&self.run, &self.pipeline.config.holder);
            select(telling, self.pipeline.ports.clock.sleep(LAST_WORD)).await;
        }
    }
}

/// The contexts that are not green, as what is waited for.
pub(crate) fn checks(findings: &[ContextFinding], word: fn(ContextVerdict) -> &'static str) -> String {
    let waiting = findings.iter().filter(|finding| finding.verdict != ContextVerdict::Success);
    named("checks", waiting.map(|finding| format!("{} is {}", finding.context, word(finding.verdict))).collect())
}

/// The teams of which nobody approved, as what is waited for.
pub(crate) fn teams(teams: &[TeamName]) -> String {
    named("an approval by a member of each team", teams.iter().map(ToString::to_string).collect())
}

fn named(what: &str, mut names: Vec<String>) -> String {
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{what} ({}{more})", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_names_the_first_are_told_and_the_others_counted() {
        let names = |count: usize| (1..=count).map(|name| name.to_string()).collect();
        assert_eq!(named("checks", names(1)), "checks (1)");
        assert_eq!(named("checks", names(5)), "checks (1, 2, 3, 4, 5)");
        assert_eq!(named("checks", names(7)), "checks (1, 2, 3, 4, 5 and 2 more)");
    }
}
