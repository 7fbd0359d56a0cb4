//! What an adapter's tests bring along.

use std::path::Path;

use selfext_domain::ports::Verifier;

/// An adapter of the port [`Verifier`], for the contract suite.
pub trait VerifierWorld: 'static {
    /// The adapter.
    type Verifier: Verifier + 'static;

    /// A verifier over the repository in the folder `source`. Everything that it writes goes below the folder `room`, which
    /// another verifier may use at the same time.
    fn verifier(source: &Path, room: &Path) -> Self::Verifier;
}
