//! The hand on the twin's controls.

mod app;
mod checks;
mod faults;
mod log;
mod queue;
mod repository;

use std::sync::Arc;

use crate::world::World;

/// Controls a twin from inside the process: checks, rules, faults, and the record of what was asked of it.
///
/// Clones control the same twin. A handle stays valid when the twin is shut down: the record can still be read, and
/// what would change the repository or the state fails with [`TwinError::Closed`](crate::TwinError::Closed).
#[derive(Clone, Debug)]
pub struct TwinHandle {
    world: Arc<World>,
}

impl TwinHandle {
    pub(crate) fn new(world: Arc<World>) -> Self {
        Self { world }
    }

    /// Where the API is served.
    pub(crate) fn api(&self) -> String {
        format!("{}{}", self.world.site(), self.world.config.path)
    }
}
