//! What the connections of a proxy share.

use std::{
    future::Future,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use tokio::sync::watch;

/// What to do with the request that a fault is set for, or with its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    LoseRequest,
    LoseAnswer,
    HoldRequest,
    HoldAnswer,
}

/// Where the fault that was set last is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It was taken back, or none was ever set.
    Off,
    /// It waits for its request, or for that request's answer.
    Armed,
    /// Its request or answer is lost or held.
    Struck,
}

#[derive(Debug)]
struct Armed {
    requests_left: u64,
    fault: Fault,
}

#[derive(Debug)]
pub(super) struct State {
    round_trips: AtomicU64,
    armed: Mutex<Option<Armed>>,
    phase: watch::Sender<Phase>,
    /// Whether the fault that was set last takes the server down when it strikes.
    lasts: AtomicBool,
    /// Whether the server is out of reach.
    down: AtomicBool,
    /// How often all connections were cut.
    cuts: watch::Sender<u64>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            round_trips: AtomicU64::new(0),
            armed: Mutex::new(None),
            phase: watch::Sender::new(Phase::Off),
            lasts: AtomicBool::new(false),
            down: AtomicBool::new(false),
            cuts: watch::Sender::new(0),
        }
    }
}

impl State {
    pub(super) fn round_trips(&self) -> u64 {
        self.round_trips.load(Ordering::SeqCst)
    }

    pub(super) fn reset(&self) {
        self.round_trips.store(0, Ordering::SeqCst);
    }

    pub(super) fn count_round_trip(&self) {
        self.round_trips.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn arm(&self, n: u64, fault: Fault) {
        self.set(Some(Armed { requests_left: n.max(1), fault }), Phase::Armed, false);
    }

    /// As [`State::arm`], with a fault that takes the server down when it strikes, until the next is set or it is
    /// disarmed.
    pub(super) fn arm_lasting(&self, n: u64, fault: Fault) {
        self.set(Some(Armed { requests_left: n.max(1), fault }), Phase::Armed, true);
    }

    pub(super) fn disarm(&self) {
        self.set(None, Phase::Off, false);
    }

    pub(super) fn is_down(&self) -> bool {
        self.down.load(Ordering::SeqCst)
    }

    fn set(&self, armed: Option<Armed>, phase: Phase, lasts: bool) {
        self.lasts.store(lasts, Ordering::SeqCst);
        self.down.store(false, Ordering::SeqCst);
        *self.armed.lock().unwrap_or_else(PoisonError::into_inner) = armed;
        self.phase.send_replace(phase);
    }

    /// Takes note of a request, and answers what is to happen to it.
    pub(super) fn next_request(&self) -> Option<Fault> {
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = armed.as_mut()?;
        waiting.requests_left -= 1;
        if waiting.requests_left > 0 {
            return None;
        }
        armed.take().map(|armed| armed.fault)
    }

    /// Tells whoever waits for it that the fault has struck.
    pub(super) fn strike(&self) {
        // A fault that was taken back or replaced in the meantime no longer speaks for the last one.
        let struck = self.phase.send_if_modified(|phase| {
            let armed = *phase == Phase::Armed;
            if armed {
                *phase = Phase::Struck;
                self.down.store(self.lasts.load(Ordering::SeqCst), Ordering::SeqCst);
            }
            armed
        });
        if struck && self.is_down() {
            self.cut_connections();
        }
    }

    pub(super) async fn struck(&self) {
        // The sender lives as long as this borrow, so there is no error.
        let _ = self.phase.subscribe().wait_for(|phase| *phase == Phase::Struck).await;
    }

    /// Waits until what is held may go on.
    pub(super) async fn let_through(&self) {
        let _ = self.phase.subscribe().wait_for(|phase| *phase != Phase::Struck).await;
    }

    pub(super) fn cut_connections(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Answers when all connections are cut the next time, counted from this call.
    pub(super) fn cut(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut cuts = self.cuts.subscribe();
        async move {
            // An error means that the proxy is gone, which cuts as well.
            let _ = cuts.changed().await;
        }
    }
}
