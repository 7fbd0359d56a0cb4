//! The contract of the port, kept by git worktrees.

use std::path::Path;

use selfext_contracts::verifier::VerifierWorld;
use selfext_verifier::{GitSource, VerifierConfig, WorktreeVerifier};

struct OnWorktrees;

impl VerifierWorld for OnWorktrees {
    type Verifier = WorktreeVerifier;

    fn verifier(source: &Path, room: &Path) -> WorktreeVerifier {
        WorktreeVerifier::new(VerifierConfig::new(GitSource::Path(source.to_owned()), room))
    }
}

selfext_contracts::verifier_contract!(OnWorktrees);
