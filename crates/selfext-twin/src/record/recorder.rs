//! Keeps exchanges, within bounds.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::watch;

use super::{Exchange, chain};

/// How many exchanges are kept; the oldest go first.
const MOST_EXCHANGES: usize = 10_000;
/// How many bytes of bodies are kept in all; the oldest exchanges go first.
const MOST_BYTES: usize = 64 << 20;
/// Of a body larger than this only the form is kept.
const LARGEST_BODY: usize = 1 << 20;
/// A text longer than this, in bytes, is no part of a large body's form.
const LONGEST_TEXT: usize = 1 << 10;
/// How many unknown routes are named.
const MOST_UNKNOWN: usize = 1_000;

/// The record of a twin.
pub(crate) struct Recorder {
    opened: Instant,
    log: Mutex<Log>,
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct Log {
    last: u64,
    kept: VecDeque<Kept>,
    bytes: usize,
    unknown: VecDeque<String>,
}

struct Kept {
    exchange: Exchange,
    bytes: usize,
}

/// One exchange that is under way.
#[derive(Clone)]
pub(crate) struct Entry {
    recorder: Arc<Recorder>,
    sequence: u64,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Self { opened: Instant::now(), log: Mutex::default(), changed: watch::Sender::new(0) }
    }

    /// Records that a request has arrived.
    pub(crate) fn begin(self: &Arc<Self>, method: &str, path_and_query: &str, route: Option<&'static str>) -> Entry {
        let mut log = self.log();
        log.last += 1;
        let sequence = log.last;
        let exchange = Exchange {
            sequence,
            method: method.to_owned(),
            path_and_query: path_and_query.to_owned(),
            route,
            request_body: None,
            status: None,
            response_body: None,
            performed: None,
            fault: None,
            started: self.opened.elapsed(),
            ended: None,
        };
        if route.is_none() {
            log.unknown.push_back(format!("{method} {path_and_query}"));
            if log.unknown.len() > MOST_UNKNOWN {
                log.unknown.pop_front();
            }
        }
        let bytes = path_and_query.len();
        log.add(Kept { exchange, bytes });
        Entry { recorder: Arc::clone(self), sequence }
    }

    /// All exchanges that are kept, in the order of their arrival.
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        self.log().kept.iter().map(|kept| kept.exchange.clone()).collect()
    }

    /// Forgets all exchanges and unknown routes. What is still under way is not recorded any more.
    pub(crate) fn clear(&self) {
        let mut log = self.log();
        log.kept.clear();
        log.unknown.clear();
        log.bytes = 0;
    }

    /// The longest chain of exchanges that ran one after another.
    pub(crate) fn longest_chain(&self) -> usize {
        let log = self.log();
        chain::longest(log.kept.iter().map(|kept| (kept.exchange.started, kept.exchange.ended)))
    }

    /// Requests for routes that the twin does not know, as `METHOD path`.
    pub(crate) fn unknown_routes(&self) -> Vec<String> {
        self.log().unknown.iter().cloned().collect()
    }

    /// Waits for an exchange, already kept or still to come, that is as wanted.
    pub(crate) async fn until(&self, mut wanted: impl FnMut(&Exchange) -> bool) -> Exchange {
        let mut changes = self.changed.subscribe();
        loop {
            changes.mark_unchanged();
            let found = self.exchanges().into_iter().find(|exchange| wanted(exchange));
            if let Some(exchange) = found {
                return exchange;
            }
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    fn change(&self, sequence: u64, change: impl FnOnce(&mut Kept, Duration)) {
        let now = self.opened.elapsed();
        let mut log = self.log();
        if let Some(kept) = log.kept.iter_mut().rev().find(|kept| kept.exchange.sequence == sequence) {
            let before = kept.bytes;
            change(kept, now);
            let after = kept.bytes;
            log.bytes = log.bytes - before + after;
            log.shrink();
        }
        drop(log);
        self.changed.send_modify(|count| *count += 1);
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    fn add(&mut self, kept: Kept) {
        self.bytes += kept.bytes;
        self.kept.push_back(kept);
        self.shrink();
    }

    fn shrink(&mut self) {
        while self.kept.len() > MOST_EXCHANGES || (self.bytes > MOST_BYTES && self.kept.len() > 1) {
            if let Some(oldest) = self.kept.pop_front() {
                self.bytes -= oldest.bytes;
            }
        }
    }
}

impl Entry {
    /// Records the request's body.
    pub(crate) fn request_body(&self, body: &[u8]) {
        let value = serde_json::from_slice(body).ok();
        let Some((value, bytes)) = value.and_then(|value| keepable(value, body.len())) else {
            return;
        };
        self.recorder.change(self.sequence, |kept, _| {
            kept.bytes += bytes;
            kept.exchange.request_body = Some(value);
        });
    }

    /// Records which fault is played.
    pub(crate) fn fault(&self, word: &'static str) {
        self.recorder.change(self.sequence, |kept, _| kept.exchange.fault = Some(word));
    }

    /// Records what the twin's own work came to.
    pub(crate) fn performed(&self, status: u16) {
        self.recorder.change(self.sequence, |kept, _| {
            kept.exchange.performed = Some(status);
        });
    }

    /// Records what the client is sent; `size` is the length of the body in bytes.
    pub(crate) fn answered(&self, status: u16, body: Option<&Value>, size: usize) {
        let body = body.cloned().and_then(|body| keepable(body, size));
        self.recorder.change(self.sequence, |kept, now| {
            kept.exchange.status = Some(status);
            if let Some((body, bytes)) = body {
                kept.bytes += bytes;
                kept.exchange.response_body = Some(body);
            }
            kept.exchange.ended = Some(now);
        });
    }

    /// Records that the client is sent nothing.
    pub(crate) fn given_up(&self) {
        self.recorder.change(self.sequence, |kept, now| kept.exchange.ended = Some(now));
    }
}

/// A body as it is kept, with its size: one that is large has no long texts any more. `None` if it is still too large.
fn keepable(mut body: Value, size: usize) -> Option<(Value, usize)> {
    if size <= LARGEST_BODY {
        return Some((body, size));
    }
    shorten(&mut body);
    let size = body.to_string().len();
    (size <= LARGEST_BODY).then_some((body, size))
}

fn shorten(value: &mut Value) {
    match value {
        Value::String(text) if text.len() > LONGEST_TEXT => *text = format!("({} bytes)", text.len()),
        Value::Array(list) => list.iter_mut().for_each(shorten),
        Value::Object(members) => members.values_mut().for_each(shorten),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_record_keeps_the_newest_ten_thousand_exchanges() {
        let recorder = Arc::new(Recorder::new());
        for _ in 0..MOST_EXCHANGES + 5 {
            recorder.begin("GET", "/user", Some("/user"));
        }
        let kept = recorder.exchanges();
        assert_eq!(kept.len(), MOST_EXCHANGES);
        assert_eq!(kept[0].sequence, 6);
    }

    #[test]
    fn of_large_bodies_the_form_is_kept() {
        let recorder = Arc::new(Recorder::new());
        let entry = recorder.begin("POST", "/x", None);
        let large = json!({"content": "x".repeat(LARGEST_BODY), "encoding": "utf-8"});
        entry.request_body(large.to_string().as_bytes());
        let list = Value::Array(vec![Value::from("x".repeat(LONGEST_TEXT)); LARGEST_BODY / LONGEST_TEXT]);
        entry.answered(200, Some(&list), list.to_string().len());
        let kept = recorder.exchanges();
        assert_eq!(kept[0].request_body, Some(json!({"content": "(1048576 bytes)", "encoding": "utf-8"})));
        assert_eq!(kept[0].response_body, None, "it has no long text and is too large");
        assert_eq!(recorder.unknown_routes(), ["POST /x"]);
    }
}
