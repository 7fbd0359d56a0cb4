//! Work that waits for the disk.

use std::panic::resume_unwind;

use tokio::runtime::{Handle, RuntimeFlavor, worker_index};
use tokio::task::{block_in_place, spawn_blocking};

/// Does work that waits for the disk, to its end also if nobody waits for it any more. A worker of a runtime with several threads
/// gives its other tasks away and does it at once; from elsewhere it goes to a thread for such work. `None` if the runtime ended
/// before the work.
pub(super) async fn in_place<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    if may_block() {
        return Some(block_in_place(work));
    }
    match spawn_blocking(work).await {
        Ok(done) => Some(done),
        Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
        Err(_) => None,
    }
}

/// Whether this thread is such a worker. One that waits for a future, as that of `main`, may have tasks that are bound to it.
fn may_block() -> bool {
    worker_index().is_some() && Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread
}
