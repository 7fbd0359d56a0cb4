//! `audit`.

use std::fs::File;
use std::io::{BufReader, Seek as _};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressStyle};
use selfext::Audit;
use selfext::audit::audit::{Counts, Finding, FindingKind};
use selfext::audit::export;
use selfext::audit::note::VerifierKey;
use serde_json::json;

use super::super::Ledger;
use super::keys;
use crate::args;
use crate::exit::Exit;
use crate::show::{self, clean};

/// How often progress is shown.
const TICK: Duration = Duration::from_millis(200);

pub async fn run(ledger: &Ledger, args: &args::Audit) -> Result<Exit> {
    let keys = keys::verifiers(&args.keys.keys)?;
    let anchors = keys::notes(&args.checkpoints)?;
    let mut progress = Progress::new();
    let audit = match &args.export {
        None => {
            let operations = ledger.open().await?;
            operations.audit(keys, &anchors, |counts| progress.tell(counts)).await?
        }
        Some(file) => of_export(file, keys, &anchors, &mut progress)?,
    };
    progress.bar.finish_and_clear();
    Ok(tell(&audit, ledger.json))
}

/// Audits an export. It is read twice; standard input is put into a file for that.
fn of_export(file: &Path, keys: Vec<VerifierKey>, anchors: &[String], progress: &mut Progress) -> Result<Audit> {
    let unreadable = || format!("the export {} cannot be read", file.display());
    let input = if file == Path::new("-") { spooled() } else { File::open(file) }.with_context(unreadable)?;
    let input = BufReader::with_capacity(export::BUFFER, input);
    let report = export::audit(input, keys, anchors, |counts| progress.tell(counts)).map_err(|error| {
        let what = if error.is_of_the_header() { "is no export" } else { "is not whole" };
        anyhow::Error::new(error).context(format!("the export {} {what}", file.display()))
    })?;
    Ok(Audit { report, contradictions: Vec::new() })
}

fn spooled() -> std::io::Result<File> {
    let mut spooled = tempfile::tempfile()?;
    std::io::copy(&mut std::io::stdin().lock(), &mut spooled)?;
    spooled.rewind()?;
    Ok(spooled)
}

struct Progress {
    bar: ProgressBar,
    last: Instant,
}

impl Progress {
    fn new() -> Self {
        // Nothing is drawn where nobody watches.
        let bar = ProgressBar::no_length();
        let style = ProgressStyle::with_template("{spinner} audited {pos} events ({per_sec}) {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        Self { bar, last: Instant::now() }
    }

    fn tell(&mut self, counts: Counts) {
        if self.last.elapsed() >= TICK {
            self.last = Instant::now();
            self.bar.set_position(counts.events);
            if counts.findings > 0 {
                self.bar.set_message(format!("{} FINDINGS", counts.findings));
            }
        }
    }
}

/// The gravest first: the exit code is that of the first that was found.
const BY_GRAVITY: [(FindingKind, Exit); 5] = [
    (FindingKind::Forged, Exit::Forged),
    (FindingKind::Edited, Exit::Edited),
    (FindingKind::Missing, Exit::Missing),
    (FindingKind::CutOff, Exit::CutOff),
    (FindingKind::Reordered, Exit::Reordered),
];

fn exit_of(audit: &Audit) -> Exit {
    let gravest = BY_GRAVITY.into_iter().find(|(kind, _)| audit.report.count_of(*kind) > 0);
    match gravest {
        Some((_, exit)) => exit,
        None if !audit.contradictions.is_empty() => Exit::Contradicted,
        None if !audit.is_clean() => Exit::Unjudged,
        None => Exit::Done,
    }
}

fn tell(audit: &Audit, json: bool) -> Exit {
    let exit = exit_of(audit);
    let Audit { report, contradictions } = audit;
    let counts = report.counts;
    if json {
        let findings: Vec<_> = report.findings.iter().map(finding_json).collect();
        show::print_json(&json!({
            "outcome": if exit == Exit::Done { "clean" } else { "not-clean" },
            "events": counts.events,
            "runs": counts.runs,
            "open_runs": counts.open_runs,
            "unknown_events": counts.unknown_events,
            "checkpoints": counts.checkpoints,
            "checkpoints_held": counts.checkpoints_held,
            "checkpoints_unjudged": counts.checkpoints_unjudged,
            "sealed": report.sealed,
            "root": report.root,
            "findings_total": counts.findings,
            "findings": findings,
            "contradictions": contradictions,
            "exit_code": exit as u8,
        }));
        return exit;
    }
    for finding in &report.findings {
        show::print(&finding.to_string());
    }
    let more = counts.findings - report.findings.len() as u64;
    if more > 0 {
        show::print(&format!("and {more} more findings"));
    }
    for contradiction in contradictions {
        show::print(&format!("contradicted: {}", clean(contradiction)));
    }
    let sealed = match (counts.checkpoints, counts.checkpoints_unjudged) {
        (0, _) => "nothing is sealed: a forgery that is consistent, and a cut end, would not show".to_owned(),
        (_, 0) => format!("the first {} are sealed, by {} seals that hold", report.sealed, counts.checkpoints_held),
        (all, unjudged) => {
            let why = match counts.findings {
                0 => "--key names the key that seals",
                _ => "their events are not whole, or no --key is theirs",
            };
            format!("{unjudged} of {all} seals could not be judged; {why}")
        }
    };
    let verdict = match exit {
        Exit::Done => "clean",
        Exit::Unjudged => "not everything could be judged",
        _ => "NOT CLEAN",
    };
    let open = counts.open_runs;
    show::print(&format!("{verdict}: {} events of {} runs, {open} of them open; {sealed}", counts.events, counts.runs));
    exit
}

fn finding_json(finding: &Finding) -> serde_json::Value {
    let place = &finding.place;
    json!({
        "kind": finding.kind.as_str(),
        "about": finding.about.to_string(),
        "run": place.run,
        "sequence": place.sequence,
        "position": place.position.map(|position| position.to_string()),
        "event_id": place.event.map(|event| event.to_string()),
        "expected": finding.expected,
        "found": finding.found,
    })
}
