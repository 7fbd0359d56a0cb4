//! A gate that requests wait at.

use std::sync::Arc;

use tokio::sync::watch;

/// Holds requests until a test lets them go, and tells the test when one has come.
///
/// Clones are the same gate. A gate that was opened stays open.
#[derive(Clone, Debug)]
pub struct Gate {
    state: Arc<watch::Sender<State>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    arrived: usize,
    open: bool,
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

impl Gate {
    /// A closed gate.
    #[must_use]
    pub fn new() -> Self {
        Self { state: Arc::new(watch::Sender::new(State::default())) }
    }

    /// Lets all requests through, those that wait and those to come.
    pub fn open(&self) {
        self.state.send_modify(|state| state.open = true);
    }

    /// Waits until at least `count` requests have reached the gate.
    pub async fn arrived(&self, count: usize) {
        let mut state = self.state.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = state.wait_for(|state| state.arrived >= count).await;
    }

    /// Arrives at the gate and waits for it to open.
    pub(crate) async fn pass(&self) {
        let mut state = self.state.subscribe();
        self.state.send_modify(|state| state.arrived += 1);
        let _ = state.wait_for(|state| state.open).await;
    }
}
