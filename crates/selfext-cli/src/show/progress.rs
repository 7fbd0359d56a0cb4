//! What a promotion does, as it does it, on standard error.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use selfext::{ContextVerdict, Observer, Step};

use super::{clean, note};

/// How often the live line moves.
const TICK: Duration = Duration::from_millis(100);

/// A live step list on a terminal, plain lines otherwise.
pub struct Progress {
    bar: Option<ProgressBar>,
    current: Mutex<Option<Current>>,
    advice_on_checks: Mutex<Option<String>>,
}

/// The step that is being taken.
struct Current {
    text: String,
    began: Instant,
}

impl Progress {
    /// Lines on standard error; live where that is a terminal. `advice_on_checks` is told once if checks are waited for.
    pub fn new(advice_on_checks: Option<String>) -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let live = !dumb && std::io::IsTerminal::is_terminal(&std::io::stderr());
        let bar = live.then(ProgressBar::new_spinner).filter(|bar| !bar.is_hidden());
        if let (Some(bar), Ok(style)) = (&bar, ProgressStyle::with_template("{spinner} {msg} ({elapsed})")) {
            bar.set_style(style);
        }
        Self { bar, current: Mutex::new(None), advice_on_checks: Mutex::new(advice_on_checks) }
    }

    /// Ends the last step, well or not.
    pub fn finish(&self, well: bool) {
        self.end_step(well);
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn begin_step(&self, text: String) {
        self.end_step(true);
        match &self.bar {
            Some(bar) => {
                bar.reset_elapsed();
                bar.set_message(text.clone());
                bar.enable_steady_tick(TICK);
            }
            None => note(&text),
        }
        if let Ok(mut current) = self.current.lock() {
            *current = Some(Current { text, began: Instant::now() });
        }
    }

    fn end_step(&self, well: bool) {
        let ended = self.current.lock().ok().and_then(|mut current| current.take());
        if let (Some(bar), Some(ended)) = (&self.bar, ended) {
            let mark = if well { '✓' } else { '✗' };
            bar.println(format!("{mark} {} ({:.1} s)", ended.text, ended.began.elapsed().as_secs_f64()));
            bar.set_message("");
        }
    }

    /// Says something of the current step: on a terminal beside it, for as long as it lasts.
    fn beside_step(&self, words: &str) {
        match (&self.bar, self.current.lock()) {
            (Some(bar), Ok(current)) => {
                let step = current.as_ref().map(|current| current.text.as_str()).unwrap_or_default();
                bar.set_message(format!("{step}, {words}"));
            }
            _ => note(&format!("  {words}")),
        }
    }

    fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => note(text),
        }
    }

    fn advise_on_checks(&self) {
        if let Some(advice) = self.advice_on_checks.lock().ok().and_then(|mut advice| advice.take()) {
            self.say(&format!("  {advice}"));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Observer for Progress {
    fn on(&self, step: &Step) {
        match step {
            Step::Began { run } => self.say(&format!("run {} begins", clean(run.as_str()))),
            Step::Resumed { run } => self.say(&format!("run {} goes on", clean(run.as_str()))),
            Step::Verifying { base } => self.begin_step(format!("verifying on {}", base.short())),
            Step::Verified { stages } => {
                self.end_step(stages.iter().all(|stage| stage.result.passed()));
                for stage in stages {
                    self.say(&format!("  {} {}", clean(&stage.name), stage.summary()));
                    for wall in stage.missing_walls() {
                        self.say(&format!("    wall {}", clean(&wall.to_string())));
                    }
                }
            }
            Step::Publishing => self.begin_step("publishing".to_owned()),
            Step::Published { pull_request, url } => {
                self.begin_step(format!("at the gate of pull request {pull_request} ({})", clean(url)));
            }
            Step::WaitingForChecks { findings } => {
                let waiting = findings.iter().filter(|finding| finding.verdict != ContextVerdict::Success);
                let names: Vec<_> = waiting.map(|finding| clean(&finding.context)).collect();
                self.beside_step(&format!("waiting for {}", names.join(", ")));
                self.advise_on_checks();
            }
            Step::WaitingForReviews { have, need } => {
                self.beside_step(&format!("waiting for a person to approve it ({have} of {need})"));
            }
            Step::WaitingForTeams { teams } => {
                let names: Vec<_> = teams.iter().map(|team| clean(team.as_str())).collect();
                self.beside_step(&format!("waiting for somebody of {} to approve it", names.join(" and of ")));
            }
            Step::GatePassed if self.bar.is_none() => note("  the gate is green"),
            Step::GatePassed => self.end_step(true),
            Step::BaseMoved { base } => {
                self.end_step(false);
                self.say(&format!("  the base moved to {}", base.short()));
            }
            Step::MergeStarted => self.begin_step("merging".to_owned()),
            Step::MergeUnclear { message } => self.say(&format!("  the forge's answer is unclear: {}", clean(message))),
            Step::InMergeQueue { position } => self.beside_step(&format!("in the merge queue, place {position}")),
            Step::Landed { commit } => {
                self.end_step(true);
                self.say(&format!("landed as {}", commit.short()));
            }
            Step::RollbackStarted { run, rollback_run } => {
                let (run, by) = (clean(run.as_str()), clean(rollback_run.as_str()));
                self.say(&format!("run {run} is being taken back by run {by}"));
            }
            Step::WaitingForMerge { detail } => self.beside_step(&format!("waiting: {}", clean(detail))),
            Step::CleanupFailed { detail } => self.say(&format!("  left behind: {}", clean(detail))),
            other => self.say(&format!("  {other:?}")),
        }
    }
}
