//! How fast a ledger is audited, and in how much memory: `cargo bench -p selfext-audit -- 10000000`.
//!
//! The events are made in batches outside of the measured time, which is the time of the processor. Each run has five: proposed with three files, tested with two
//! stages, a refusal, a merge, promoted.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use selfext_audit::audit::{Auditor, StoredRow};
use selfext_audit::checkpoint::Checkpoint;
use selfext_audit::event_leaf;
use selfext_audit::export::{ExportLine, ExportReader, ExportWriter, ExportedEvent};
use selfext_audit::merkle::TreeFrontier;
use selfext_audit::note::{KeyName, SignerKey};
use selfext_domain::ports::DerivedColumns;
use selfext_domain::{Digest32, Event, JudgedContent, Link, Position, canonical};

const BATCH: u64 = 10_000;
const TYPES: [&str; 5] = ["proposed", "tested", "promotion_blocked", "merge_started", "promoted"];

struct Row {
    position: Position,
    sequence: i64,
    event_id: String,
    run_id: String,
    stage: &'static str,
    event_type: &'static str,
    fingerprint: String,
    content: String,
    link: Link,
}

impl Row {
    fn stored(&self, columns: bool) -> StoredRow<'_> {
        StoredRow {
            position: self.position,
            sequence: self.sequence,
            content: &self.content,
            content_hash: columns.then_some(self.link.content_hash.as_bytes()),
            prev_hash: self.link.prev_hash.as_bytes(),
            hash: self.link.hash.as_bytes(),
            columns: columns.then_some(DerivedColumns {
                event_id: &self.event_id,
                run_id: &self.run_id,
                correlation_id: &self.run_id,
                stage: self.stage,
                event_type: self.event_type,
                actor_source: "agent",
                tool_name: Some("edit_files"),
                tool_call_id: Some("call_0123456789abcdef"),
                goal_id: Some("goal-42"),
                cycle_id: Some("cycle-7"),
                sub_goal_id: None,
                repository: Some("octo-org/agent-core"),
                base: Some("main"),
                fingerprint: Some(&self.fingerprint),
                pull_request: Some(1234),
            }),
        }
    }
}

/// The payload of each type, with its stage.
fn payload(event_type: &str, hash: &str) -> (&'static str, String) {
    let (commit, tree) = (&hash[..40], &hash[24..]);
    let branch = "selfext/edit-files/goal-42-0123456789abcdef";
    match event_type {
        "proposed" => {
            let file = |path: &str| format!(r#"{{"action":"write","bytes":1234,"path":"{path}","sha256":"{hash}"}}"#);
            let files =
                [file("src/agent/planner.rs"), file("src/agent/tools/edit.rs"), file("tests/planner.rs")].join(",");
            let message = "Let the planner stop after three tries that changed nothing";
            ("staging", format!(r#"{{"branch":"{branch}","files":[{files}],"message":"{message}"}}"#))
        }
        "tested" => {
            let stage = |name: &str, kind: &str| {
                format!(
                    r#"{{"category":"{kind}","command":["cargo","{name}","--locked"],"duration_ms":48211,"kind":"{kind}","name":"{name}","output":"   Compiling agent-core v0.3.1\n    Finished in 47.12s\n","output_bytes":4711,"result":"passed"}}"#
                )
            };
            let stages = [stage("build", "compile"), stage("test", "test")].join(",");
            (
                "verification",
                format!(
                    r#"{{"attempt":1,"base_commit":"{commit}","branch":"{branch}","holder":"host/1234","rules_sha256":"{hash}","stages":[{stages}],"title":"Let the planner stop","tree":"{tree}"}}"#
                ),
            )
        }
        "promotion_blocked" => (
            "promotion-gate",
            r#"{"detail":"build is pending on the head","reason":"checks-pending","stage":"promotion-gate"}"#
                .to_owned(),
        ),
        "merge_started" => (
            "promotion-merge",
            format!(
                r#"{{"base_commit":"{commit}","branch":"{branch}","deadline_seconds":120,"head":"{commit}","holder":"host/1234","message":"Let the planner stop after three tries\n\nSelfext-Meta: {{\"run\":\"x\"}}","method":"squash","tree":"{tree}"}}"#
            ),
        ),
        _ => ("promotion-merge", format!(r#"{{"commit":"{commit}","tree":"{tree}","tree_matches":true}}"#)),
    }
}

/// The rows from number `from` on. A hundred runs are open at a time.
fn batch(from: u64, tips: &mut Vec<Digest32>) -> Vec<Row> {
    (from..from + BATCH)
        .map(|number| {
            let (block, step, lane) = (number / 500, number % 500 / 100, number % 100);
            let run = block * 100 + lane;
            let hash = Digest32::of(&run.to_be_bytes()).to_string();
            let run_id = format!("0198f1d2-7b3c-7a00-8000-{run:012x}");
            let event_id = format!("0198f1d2-7b3c-7a01-8000-{number:012x}");
            let event_type = TYPES[usize::try_from(step).unwrap_or(0)];
            let (stage, payload) = payload(event_type, &hash);
            let content = format!(
                r#"{{"actor_source":"agent","base":"main","correlation_id":"{run_id}","cycle_id":"cycle-7","event_id":"{event_id}","event_type":"{event_type}","fingerprint":"{hash}","goal_id":"goal-42","payload":{payload},"pull_request":1234,"repository":"octo-org/agent-core","run_id":"{run_id}","schema":1,"stage":"{stage}","tool_call_id":"call_0123456789abcdef","tool_name":"edit_files"}}"#
            );
            let tip = usize::try_from(lane).unwrap_or(0);
            tips.resize(100, Link::GENESIS);
            let prev = if step == 0 { Link::GENESIS } else { tips[tip] };
            let link = Link::new(prev, content.as_bytes());
            tips[tip] = link.hash;
            let position = Position { transaction: number + 700, id: number + 1 };
            let sequence = i64::try_from(step + 1).unwrap_or(0);
            Row { position, sequence, event_id, run_id, stage, event_type, fingerprint: hash, content, link }
        })
        .collect()
}

fn key() -> Option<SignerKey> {
    Some(SignerKey::generate(KeyName::parse("ledger.example").ok()?, &[1; 32]))
}

/// The time that this thread has been running, which other programs on the machine do not lengthen.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}

fn resident_mib() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = pages.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * 4 / 1024
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people")]
fn rate(events: u64, time: Duration) -> String {
    format!("{:>8.0} events a second", events as f64 / time.as_secs_f64())
}

/// Keeps the compiler from leaving out what made the value.
fn seen(value: &impl std::fmt::Debug) {
    std::hint::black_box(value);
}

fn timed(what: &str, rows: &[Row], mut each: impl FnMut(&Row)) {
    let start = cpu_time();
    rows.iter().for_each(&mut each);
    println!("{what:<28} {}", rate(rows.len() as u64, cpu_time().saturating_sub(start)));
}

/// Audits so many events, sealed every batch; prints the rate and the memory.
fn whole(events: u64, columns: bool) {
    let Some(key) = key() else { return };
    let mut auditor = Auditor::new(vec![key.verifier().clone()]);
    let (mut tips, mut tree, mut time) = (Vec::new(), TreeFrontier::new(), Duration::ZERO);
    let before = resident_mib();
    let (mut most, mut fastest) = (before, Duration::MAX);
    for from in (0..events).step_by(usize::try_from(BATCH).unwrap_or(1)) {
        let rows = batch(from, &mut tips);
        for row in &rows {
            tree.push(event_leaf(row.link.hash));
        }
        let position = rows.last().map(|row| row.position);
        let checkpoint = Checkpoint::new(key.name().clone(), tree.size(), tree.root(), position);
        let Ok(note) = checkpoint.sign(&key) else { return };
        let (start, began) = (cpu_time(), Instant::now());
        auditor.checkpoint(&note.to_string());
        for row in &rows {
            auditor.event(&row.stored(columns));
        }
        time += cpu_time().saturating_sub(start);
        fastest = fastest.min(began.elapsed());
        most = most.max(resident_mib());
    }
    let report = auditor.finish();
    let clean = if report.is_clean() { "clean" } else { "NOT CLEAN" };
    let what = if columns { "audit, a database's rows" } else { "audit, an export's rows" };
    println!("{what:<28} {}, {} runs, {clean}, {} MiB more", rate(events, time), report.counts.runs, most - before);
    println!("{:<28} {}", "  its fastest 10,000", rate(BATCH, fastest));
    report.findings.iter().take(3).for_each(|finding| println!("  {finding}"));
}

fn exported(rows: &[Row]) -> Option<(Vec<u8>, Duration)> {
    let start = cpu_time();
    let mut writer = ExportWriter::new(Vec::new()).ok()?;
    for row in rows {
        let event = ExportedEvent {
            transaction: row.position.transaction,
            id: row.position.id,
            sequence: row.sequence,
            content: row.content.clone(),
            prev_hash: row.link.prev_hash,
            hash: row.link.hash,
            created_at: "2026-11-25 08:00:00.123456+00".to_owned(),
            written_by: "agent".to_owned(),
        };
        writer.event(event).ok()?;
    }
    Some((writer.finish().ok()?, cpu_time().saturating_sub(start)))
}

fn main() {
    let events = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(200_000_u64);
    let rows = batch(0, &mut Vec::new());
    let bytes: usize = rows.iter().map(|row| row.content.len()).sum();
    println!("{} bytes an event", bytes / rows.len());
    timed("SHA-256 of the content", &rows, |row| seen(&Digest32::of(row.content.as_bytes())));
    timed("canonical form", &rows, |row| seen(&canonical::check(&row.content)));
    timed("reading the event", &rows, |row| seen(&Event::from_content_without_reports(&row.content)));
    timed("both in one pass", &rows, |row| seen(&JudgedContent::of(&row.content)));
    for event_type in TYPES {
        let rows: Vec<Row> = batch(0, &mut Vec::new()).into_iter().filter(|row| row.event_type == event_type).collect();
        timed(event_type, &rows, |row| seen(&JudgedContent::of(&row.content)));
    }
    timed("leaf and tree", &rows, {
        let mut tree = TreeFrontier::new();
        move |row| tree.push(event_leaf(row.link.hash))
    });
    whole(events, true);
    whole(events, false);
    if let Some((bytes, time)) = exported(&rows) {
        println!("{:<28} {}", "writing an export", rate(rows.len() as u64, time));
        let start = cpu_time();
        let mut auditor = Auditor::new(Vec::new());
        for line in ExportReader::new(bytes.as_slice()).into_iter().flatten().flatten() {
            if let ExportLine::Event(event) = line {
                auditor.event(&StoredRow::from(&*event));
            }
        }
        println!(
            "{:<28} {}",
            "reading and auditing one",
            rate(auditor.counts().events, cpu_time().saturating_sub(start))
        );
    }
}
