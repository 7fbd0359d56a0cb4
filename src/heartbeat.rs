//! An agent says how it is.

use std::convert::Infallible;
use std::time::Duration;

use chrono::{DateTime, Utc};
use selfext_domain::ports::{Heartbeats, LedgerError};
use selfext_domain::{CommitSha, Heartbeat, InvalidValue, RedactedText, Reporter, TextCap};

use crate::{Operations, Selfext};

/// The most bytes of a heartbeat's detail. What is longer is cut, with a note that says so.
pub(crate) const DETAIL: usize = 1_024;

/// The most characters of a reporter's name.
const NAME: usize = 128;

impl Operations {
    /// Records how an agent is, at the time of the database's clock, which is the answer: that of the agent does not matter. The
    /// detail is redacted and cut to 1 KiB. A repetition is another heartbeat.
    ///
    /// Whether anything comes of it is decided by whoever watches ([`Selfext::watchdog`](crate::Selfext::watchdog)), and only while a
    /// health window of the very commit is open.
    ///
    /// # Errors
    /// [`LedgerError::Unavailable`], and then it is not known whether it was recorded; [`LedgerError::Refused`]. An agent can go
    /// on: what is missed is one sample.
    pub async fn heartbeat(&self, heartbeat: &Heartbeat) -> Result<DateTime<Utc>, LedgerError> {
        record(&*self.heartbeats(), heartbeat).await
    }
}

impl Selfext {
    /// Says which commit this agent runs, and how it is. As [`Operations::heartbeat`], of this repository and base branch; the
    /// reporter is this host and process.
    ///
    /// The commit is that of the code that runs, not that of a checkout: an agent knows it from its build.
    ///
    /// # Errors
    /// As [`Operations::heartbeat`].
    pub async fn heartbeat(
        &self,
        commit: &CommitSha,
        healthy: bool,
        detail: Option<&str>,
    ) -> Result<DateTime<Utc>, LedgerError> {
        let heartbeat = Heartbeat {
            repository: self.repository().clone(),
            base: self.base().clone(),
            commit: commit.clone(),
            healthy,
            reporter: self.reporter.clone(),
            detail: detail.map(str::to_owned),
        };
        record(&*self.heartbeats, &heartbeat).await
    }

    /// Says again and again how this agent is, until it is dropped: `look` answers `Err` with what is wrong, if anything is. `missed` is
    /// told what could not be recorded.
    ///
    /// Nothing is said while `look` does not answer, so an agent that hangs should hang there: look at what does the work, not
    /// at this task. The first time at once; `every` is one second at least.
    pub async fn keep_reporting<Looked>(
        &self,
        commit: &CommitSha,
        every: Duration,
        mut look: impl FnMut() -> Looked,
        mut missed: impl FnMut(LedgerError),
    ) -> Infallible
    where
        Looked: Future<Output = Result<(), String>>,
    {
        let mut ticks = tokio::time::interval(every.max(Duration::from_secs(1)));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let wrong = look().await.err();
            if let Err(error) = self.heartbeat(commit, wrong.is_none(), wrong.as_deref()).await {
                missed(error);
            }
        }
    }
}

/// Every heartbeat goes this way, so that none holds a secret or more than fits.
async fn record(heartbeats: &dyn Heartbeats, heartbeat: &Heartbeat) -> Result<DateTime<Utc>, LedgerError> {
    let detail = heartbeat.detail.as_deref().and_then(worded);
    heartbeats.record(&Heartbeat { detail, ..heartbeat.clone() }).await
}

/// A detail as it is stored: redacted, cut, with nothing that a terminal or a database cannot show; `None` if it says nothing.
pub(crate) fn worded(detail: &str) -> Option<String> {
    let shown = |c: char| if c.is_control() && c != '\n' { '\u{FFFD}' } else { c };
    let text = RedactedText::from_text(detail.trim(), TextCap::head(DETAIL));
    let text: String = text.as_str().chars().map(shown).collect();
    // A replaced character takes more room than it had.
    let text = RedactedText::from_text(text.trim(), TextCap::head(DETAIL));
    (!text.as_str().is_empty()).then(|| text.as_str().trim_end().to_owned())
}

/// A reporter's name of a text that may hold anything: what cannot be in a name is left out, and what is too long cut.
pub(crate) fn reporter(text: &str) -> Result<Reporter, InvalidValue> {
    let plain: String = text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(NAME).collect();
    Reporter::parse(plain.trim())
}

/// This host as a reporter of heartbeats, for programs that report for an agent.
///
/// # Errors
/// [`InvalidValue`] for a host whose name cannot be one.
pub fn this_host() -> Result<Reporter, InvalidValue> {
    reporter(&whoami::hostname().unwrap_or_else(|_| "unknown-host".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_is_redacted_cut_and_free_of_control_characters() {
        assert_eq!(worded("  \n"), None);
        assert_eq!(worded(" full disk\n").as_deref(), Some("full disk"));
        assert_eq!(worded("a\0b\u{1b}[31m").as_deref().map(|text| text.contains(['\0', '\u{1b}'])), Some(false));
        let token = format!("ghp_{}", "a1B2".repeat(9));
        assert!(!worded(&format!("token {token}")).unwrap().contains(&token));
        for long in ["x".repeat(10_000), "x\u{1}".repeat(10_000), "ä\n".repeat(5_000), "\u{85}ö".repeat(5_000)] {
            let kept = worded(&long).unwrap();
            assert!((DETAIL / 2..=DETAIL).contains(&kept.len()), "{}", kept.len());
        }
    }

    #[test]
    fn a_reporter_is_had_of_any_host_and_process() {
        assert_eq!(reporter("host:7").unwrap().as_str(), "host:7");
        assert_eq!(reporter("ho\u{7}st \u{202E}\n").unwrap().as_str(), "host");
        assert_eq!(reporter(&"h".repeat(500)).unwrap().as_str().len(), NAME);
        assert!(reporter("\n").is_err());
    }
}
