//! What the pipeline makes of the errors of its ports.

use selfext_domain::ports::{ForgeError, VerifierError};
use selfext_domain::{Reason, Refusal, Stage, error_chain};

/// The refusal that an error of the forge becomes.
pub(crate) fn of_forge(stage: Stage, doing: &str, error: &ForgeError) -> Refusal {
    let (reason, advice) = match error {
        ForgeError::Unavailable(_) | ForgeError::Unreadable(_) => {
            (Reason::ForgeUnavailable, "Promote the same change again later.")
        }
        ForgeError::RateLimited { .. } => (Reason::RateLimited, "Promote the same change again after that."),
        ForgeError::Unauthorized(_) => {
            (Reason::ForgeRefused, "Check the token or the App and its rights, then promote the same change again.")
        }
        ForgeError::NotFound(_) => {
            (Reason::ForgeRefused, "Check the repository's name, the base branch and what the token can see.")
        }
        ForgeError::Refused(_) => (Reason::ForgeRefused, "Mend what it names, then promote the same change again."),
        ForgeError::BranchTaken { .. } => (Reason::HeadMoved, "Look who pushed to it; delete the branch to try anew."),
        ForgeError::TreeDiffers { .. } => (Reason::PublishedTreeDiffers, "Nothing of it is left on the forge."),
    };
    Refusal::new(stage, reason, format!("{doing}: {}. {advice}", error_chain(error)))
}

/// The refusal that an error of the verifier becomes.
pub(crate) fn of_verifier(error: VerifierError) -> Refusal {
    let detail = error_chain(&error);
    match error {
        VerifierError::DoesNotApply { paths, .. } => {
            Refusal::new(Stage::Verification, Reason::DoesNotApply, format!("{detail}.")).with_paths(paths)
        }
        VerifierError::WallsMissing { .. } => Refusal::new(
            Stage::Verification,
            Reason::VerificationUnavailable,
            format!(
                "{detail}. Promote the same change again on a machine that has them, or set `isolation = \"best-effort\"` in the rules \
                 on the base branch."
            ),
        ),
        VerifierError::BaseMissing(_) | VerifierError::Unavailable { .. } => Refusal::new(
            Stage::Verification,
            Reason::VerificationUnavailable,
            format!("{detail}. Promote the same change again when the machine can."),
        ),
    }
}
