//! What a watch tells: each thing once, when it changes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use selfext::{Found, Look, Observer, Probe, RunId, Sealed, Step, Tick, WatchFinding, error_chain};
use serde_json::{Value, json};

use crate::args::quoted;
use crate::show::{self, clean, clean_line, time};

/// Tells on standard output, a line or a document each. Clones tell together.
#[derive(Clone)]
pub struct Teller {
    json: bool,
    /// What was told last of each thing.
    last: Arc<Mutex<HashMap<String, String>>>,
}

impl Teller {
    pub fn new(json: bool) -> Self {
        Self { json, last: Arc::default() }
    }

    /// What a look found.
    pub fn tick(&self, place: &str, look: &Tick) {
        self.works_again();
        match look {
            Tick::Elsewhere { holder, until } => {
                let value = json!({"watch": "elsewhere", "holder": holder, "until": until});
                self.say_if_new("lease", holder, &format!("{holder} watches {place}; this one waits"), &value);
            }
            Tick::Looked { findings, baseline, tripped, .. } => {
                let value = json!({"watch": "watching", "place": place});
                self.say_if_new("lease", "", &format!("watching {place}"), &value);
                let commit = baseline.as_ref().map(ToString::to_string).unwrap_or_default();
                if let Some(baseline) = baseline {
                    let value = json!({"watch": "baseline", "commit": baseline});
                    self.say_if_new("baseline", &commit, &format!("the baseline is {baseline}"), &value);
                }
                for finding in findings {
                    self.finding(finding);
                }
                if *tripped {
                    let words =
                        "too many rollbacks: promotion is paused by breaker. `selfext resume --by NAME` frees it.";
                    self.say(words, &json!({"watch": "tripped"}));
                }
            }
        }
    }

    fn finding(&self, finding: &WatchFinding) {
        let (run, id) = (&finding.run, clean(finding.run.as_str()));
        let acknowledge = || format!("`selfext acknowledge {} --by NAME` frees promotion", quoted(run.as_str()));
        // The state is what decides whether it is told again.
        let (state, words, value) = match &finding.found {
            Found::WindowOpen { window, samples, unhealthy, seen_since } => {
                let seen = match seen_since {
                    Some(since) => format!("seen since {}", time(*since)),
                    None => format!("not seen yet, and to be within {} s", window.terms.start_seconds),
                };
                let words = format!(
                    "run {id} has to prove itself as {} until {}: {seen}, {samples} of {} samples, {unhealthy} unhealthy",
                    window.commit.short(),
                    time(window.deadline()),
                    window.terms.samples
                );
                let value = json!({
                    "found": "window-open", "commit": window.commit, "opened_at": window.opened_at, "until": window.deadline(),
                    "samples": samples, "unhealthy": unhealthy, "seen_since": seen_since, "terms": window.terms,
                });
                (format!("open {unhealthy} {}", seen_since.is_some()), words, value)
            }
            Found::Healthy { commit, samples, seconds } => (
                "healthy".to_owned(),
                format!("run {id} is healthy after {samples} samples in {seconds} s; the baseline is {commit}"),
                json!({"found": "healthy", "commit": commit, "samples": samples, "seconds": seconds}),
            ),
            Found::RolledBack { commit } => (
                "rolled back".to_owned(),
                format!("run {id} was taken back by {commit}"),
                json!({"found": "rolled-back", "commit": commit}),
            ),
            Found::Waiting(refusal) => (
                format!("waiting {}", refusal.reason),
                format!(
                    "run {id} is sick, and not taken back yet: {}: {}",
                    refusal.reason,
                    clean_line(&refusal.detail)
                ),
                json!({"found": "waiting", "refusal": refusal}),
            ),
            Found::InDoubt { detail } => (
                format!("in doubt {detail}"),
                format!("run {id} is sick, and whether it was taken back is not known yet: {}", clean_line(detail)),
                json!({"found": "in-doubt", "detail": detail}),
            ),
            Found::RollbackFailed(refusal) => (
                "failed".to_owned(),
                format!(
                    "run {id} COULD NOT BE TAKEN BACK: {}: {} {}",
                    refusal.reason,
                    clean_line(&refusal.detail),
                    acknowledge()
                ),
                json!({"found": "rollback-failed", "refusal": refusal}),
            ),
            Found::Gone => return,
            Found::Unsettled(error) => {
                let why = clean_line(&error_chain(error));
                (
                    format!("unsettled {error}"),
                    format!("run {id} could not be looked at, and is looked at again: {why}"),
                    json!({"found": "unsettled", "error": why}),
                )
            }
        };
        let mut value = value;
        value["watch"] = json!("run");
        value["run"] = json!(run);
        self.say_if_new(&format!("run {run}"), &state, &words, &value);
    }

    /// What a look at the agent gave, when it is another thing than before.
    pub fn look(&self, probe: &Probe, look: &Look) {
        let name = probe.reporter();
        let (state, words, value) = match look {
            Look::Seen { commit, healthy, detail } => {
                let word = if *healthy { "healthy" } else { "unhealthy" };
                let detail = detail.as_deref().map(|text| format!(": {}", clean_line(text))).unwrap_or_default();
                let value = json!({"saw": "seen", "commit": commit, "healthy": healthy, "detail": detail.trim_start_matches(": ")});
                (format!("{commit} {healthy}"), format!("sees {} {word}{detail}", commit.short()), value)
            }
            Look::Nothing { detail } => {
                let words = format!("sees nothing that counts: {}", clean_line(detail));
                (format!("nothing {detail}"), words, json!({"saw": "nothing", "detail": detail}))
            }
        };
        let mut value = value;
        value["watch"] = json!("probe");
        value["probe"] = json!(name);
        self.say_if_new("probe", &state, &format!("{} {words}", clean(name.as_str())), &value);
    }

    /// What a look at the agent gave could not be recorded.
    pub fn not_recorded(&self, probe: &Probe, error: &anyhow::Error) {
        let words = format!("{} could not record what it saw: {error:#}", clean(probe.reporter().as_str()));
        let value = json!({"watch": "error", "error": format!("{error:#}")});
        self.say_if_new("probe", &words, &words, &value);
    }

    /// A look that failed. The same failure is told once, until one works.
    pub fn failed(&self, error: &anyhow::Error) {
        let text = show::error_lines(error);
        let words = format!("{}; tried again", clean_line(&text));
        self.say_if_new("error", &words, &words, &json!({"watch": "error", "error": clean_line(&text)}));
    }

    fn works_again(&self) {
        let failed = self.lock().remove("error").is_some();
        if failed {
            self.say("it works again", &json!({"watch": "works-again"}));
        }
    }

    /// The end of the watch.
    pub fn ended(&self) {
        self.say("ended; what was begun is in the ledger", &json!({"watch": "ended"}));
    }

    fn say_if_new(&self, about: &str, state: &str, words: &str, value: &Value) {
        let before = self.lock().insert(about.to_owned(), state.to_owned());
        if before.as_deref() != Some(state) {
            self.say(words, value);
        }
    }

    fn say(&self, words: &str, value: &Value) {
        if self.json {
            show::print_json(value);
        } else {
            show::print(words);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, String>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(&self, run: Option<&RunId>, words: &str) {
        self.say(words, &json!({"watch": "step", "run": run, "step": words}));
    }
}

impl Observer for Teller {
    fn on(&self, step: &Step) {
        match step {
            Step::RollbackStarted { run, rollback_run } => self.step(
                Some(run),
                &format!("run {} is being taken back by run {}", clean(run.as_str()), clean(rollback_run.as_str())),
            ),
            Step::Verified { stages } => {
                let stages: Vec<String> =
                    stages.iter().map(|stage| format!("{} {}", clean(&stage.name), stage.result)).collect();
                self.step(None, &format!("  verified: {}", stages.join(", ")));
            }
            Step::Published { pull_request, url } => {
                self.step(None, &format!("  published as pull request {pull_request} ({})", clean(url)));
            }
            Step::MergeUnclear { message } => {
                self.step(None, &format!("  the forge's answer is unclear: {}", clean_line(message)));
            }
            Step::Landed { commit } => self.step(None, &format!("  landed as {commit}")),
            Step::BaseMoved { base } => self.step(None, &format!("  the base moved to {}", base.short())),
            Step::CleanupFailed { detail } => self.step(None, &format!("  left behind: {}", clean_line(detail))),
            _ => {}
        }
    }
}

/// That the ledger was sealed, with the note for whoever keeps it.
pub fn sealed(sealed: &Sealed, json: bool) {
    let size = sealed.checkpoint.size;
    if json {
        show::print_json(&json!({"watch": "sealed", "events": size, "checkpoint": sealed.note}));
    } else {
        show::print(&format!("sealed {size} events: {}", clean_line(&sealed.note)));
    }
}
