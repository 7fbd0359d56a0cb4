//! What has to prove itself, what is taken back, and what is known to be healthy.

use chrono::{DateTime, TimeDelta, Utc};
use selfext::{Baseline, EventBody, HealthTerms, Overview, Phase, RecordedEvent, RunEntry};
use serde_json::{Value, json};

use super::{clean, clean_line, event_json, place, print, time};
use crate::args::quoted;

/// Prints the baselines, and each landed run that holds others back, with the command that frees it.
pub fn print_health(status: &Overview) {
    for baseline in &status.baselines {
        let Baseline { repository, base, commit } = baseline;
        print(&clean(&format!("the baseline of {repository} {base} is {commit}")));
    }
    for run in &status.watched {
        print(&clean(&line(run)));
        if let Some(next) = frees(&run.last) {
            print(&format!("{:<22}next: {}", "", clean(&next)));
        }
    }
}

fn line(entry: &RunEntry) -> String {
    let event = &entry.last.event;
    let run = event.stream.as_str();
    let since = time(entry.last.recorded_at);
    match (&event.body, window(&entry.last)) {
        (EventBody::Promoted(promoted), Some((terms, until))) => {
            format!(
                "run {run} has to prove itself as {} since {since}, until {}: seen within {} s, healthy for {} s in {} samples, {} of them \
                 may be unhealthy, no {} s without one",
                promoted.commit.short(),
                time(until),
                terms.start_seconds,
                terms.healthy_seconds,
                terms.samples,
                terms.error_budget,
                terms.silence_seconds
            )
        }
        (EventBody::HealthWindowFailed(failed), _) => {
            format!("run {run} is sick since {since} and is to be taken back: {}", clean_line(&failed.refusal.detail))
        }
        (EventBody::RollbackStarted(started), _) => {
            let detail = clean_line(&started.detail);
            format!("run {run} is being taken back by run {} since {since}: {detail}", started.rollback_run)
        }
        (EventBody::RollbackFailed(failed), _) => {
            let prepared = failed.prepared.as_ref().map(|branch| format!(" (prepared for a person on {branch})"));
            format!(
                "run {run} COULD NOT BE TAKEN BACK at {since}, and promotion is held back{}: {}: {}",
                prepared.unwrap_or_default(),
                failed.refusal.reason,
                clean_line(&failed.refusal.detail)
            )
        }
        _ => format!("run {run} holds promotion back since {since}"),
    }
}

/// The command that frees a landed run that holds others back.
pub fn frees(last: &RecordedEvent) -> Option<String> {
    let place =
        last.event.subject.as_ref().map(|subject| place(&subject.repository, &subject.base)).unwrap_or_default();
    let run = quoted(last.event.stream.as_str());
    match (Phase::of_last(&last.event.body)?, &last.event.body) {
        (Phase::Promoted, _) if window(last).is_some() => Some(format!(
            "`selfext watch {place}` decides it; `selfext rollback {run} --reason TEXT {place}` takes it back now"
        )),
        (Phase::Sick, _) => Some(format!(
            "`selfext watch {place}` takes it back, and so does `selfext rollback {run} --reason TEXT {place}`"
        )),
        (Phase::RollingBack, EventBody::RollbackStarted(started)) => Some(format!(
            "`selfext watch {place}` goes on with it, and so does `selfext rollback {run} --reason TEXT {place}`; `selfext abandon {} \
             --by NAME {place}` ends the attempt",
            quoted(started.rollback_run.as_str())
        )),
        (Phase::RollbackFailed, _) => Some(format!(
            "take it back by hand, or try again with `selfext rollback {run} --reason TEXT {place}`; then `selfext acknowledge {run} \
             --by NAME`"
        )),
        _ => None,
    }
}

/// What the window asks for that this event opens, and when it ends at the latest.
fn window(last: &RecordedEvent) -> Option<(&HealthTerms, DateTime<Utc>)> {
    let EventBody::Promoted(promoted) = &last.event.body else { return None };
    let terms = promoted.health.as_ref()?;
    Some((terms, last.recorded_at + TimeDelta::seconds(i64::from(terms.window_seconds))))
}

/// A run that holds others back, as JSON.
pub fn watched_json(entry: &RunEntry) -> Value {
    let (terms, until) = window(&entry.last).unzip();
    json!({
        "run": entry.last.event.stream.as_str(),
        "phase": entry.phase().map(Phase::as_str),
        "since": entry.last.recorded_at,
        "until": until,
        "terms": terms,
        "next": frees(&entry.last),
        "last_event": event_json(&entry.last),
    })
}

/// A baseline as JSON.
pub fn baseline_json(baseline: &Baseline) -> Value {
    json!({"repository": baseline.repository, "base": baseline.base, "commit": baseline.commit})
}
