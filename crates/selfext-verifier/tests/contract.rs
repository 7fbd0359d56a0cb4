//! The contract of the port, kept by git worktrees.

use std::path::Path;

use selfext_contracts::verifier::VerifierWorld;
use selfext_verifier::{GitSource, VerifierConfig, WithoutWalls, WorktreeVerifier};

struct OnWorktrees;

impl VerifierWorld for OnWorktrees {
    type Verifier = WorktreeVerifier;

    fn verifier(source: &Path, room: &Path) -> WorktreeVerifier {
        WorktreeVerifier::new(VerifierConfig::new(GitSource::Path(source.to_owned()), room))
    }
}

selfext_contracts::verifier_contract!(OnWorktrees);

/// As on a machine that gives ordinary users no namespaces.
mod without_namespaces {
    use super::*;

    struct OnWorktreesAlone;

    impl VerifierWorld for OnWorktreesAlone {
        type Verifier = WorktreeVerifier;

        fn verifier(source: &Path, room: &Path) -> WorktreeVerifier {
            let config = VerifierConfig::new(GitSource::Path(source.to_owned()), room);
            let without = WithoutWalls { namespaces: true, ..WithoutWalls::default() };
            WorktreeVerifier::new(VerifierConfig { without, ..config })
        }
    }

    selfext_contracts::verifier_contract!(OnWorktreesAlone);
}
