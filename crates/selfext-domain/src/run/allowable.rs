//! What an operator may allow a run.

use super::{Phase, Run};
use crate::{ChangeAllowed, Fingerprint, OperatorName, Reason, RepoPath, RunId, Tip, redact};

/// What an operator is shown before allowing it: one content, in one run, on the protected paths that blocked it, or after the run
/// in which it was rolled back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowable {
    run: RunId,
    fingerprint: Fingerprint,
    paths: Vec<RepoPath>,
    again_after: Option<RunId>,
    already: bool,
    tip: Tip,
}

/// Why there is nothing to allow. The message says how the run stands and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowable {
    /// The run is over; an allowance is of one run alone.
    #[error(
        "the run {run} is {phase}, and what is over cannot be allowed; if the change is still wanted, promote it again and allow \
         the run that then begins"
    )]
    Over {
        /// The run.
        run: RunId,
        /// How it stands.
        phase: Phase,
    },
    /// It is on its way.
    #[error(
        "the run {run} is {phase}, not blocked, so that no protected path is known that it needs; promote the same change again to \
         see how far it goes"
    )]
    NotBlocked {
        /// The run.
        run: RunId,
        /// How it stands.
        phase: Phase,
    },
    /// It is blocked by something that no allowance mends.
    #[error(
        "the run {run} is blocked by {reason}, not by protected-path or rolled-back-before, and an allowance does not mend that: {detail}"
    )]
    OtherReason {
        /// The run.
        run: RunId,
        /// Why it is blocked.
        reason: Reason,
        /// What its refusal says.
        detail: String,
    },
}

impl Allowable {
    /// The one run that may go on.
    #[must_use]
    pub const fn run(&self) -> &RunId {
        &self.run
    }

    /// The one content that may touch them.
    #[must_use]
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The protected paths that blocked the run, in order.
    #[must_use]
    pub fn paths(&self) -> &[RepoPath] {
        &self.paths
    }

    /// The run in which the same content was rolled back, if that is what blocks the run.
    #[must_use]
    pub const fn again_after(&self) -> Option<&RunId> {
        self.again_after.as_ref()
    }

    /// Whether operators allowed all of it before, so that there is nothing to record.
    #[must_use]
    pub const fn is_already_allowed(&self) -> bool {
        self.already
    }

    /// The event of the run that this is read from: the allowance belongs right behind it.
    #[must_use]
    pub const fn tip(&self) -> Tip {
        self.tip
    }

    /// Whether it asks for nothing that `shown` does not show.
    #[must_use]
    pub fn is_within(&self, shown: &Self) -> bool {
        (&self.run, self.fingerprint, &self.again_after) == (&shown.run, shown.fingerprint, &shown.again_after)
            && self.paths.iter().all(|path| shown.paths.contains(path))
    }

    /// What records that an operator allowed it. The reason is redacted here.
    #[must_use]
    pub fn by(&self, by: &OperatorName, reason: Option<&str>, os_user: Option<String>) -> ChangeAllowed {
        ChangeAllowed {
            by: by.clone(),
            fingerprint: self.fingerprint,
            paths: self.paths.clone(),
            again_after: self.again_after.clone(),
            reason: reason.map(|reason| redact(reason).into_owned()),
            os_user,
        }
    }
}

impl Run {
    /// What an operator may allow it: the protected paths for which it is blocked, or that what was rolled back may land again.
    ///
    /// # Errors
    /// [`NotAllowable`] if it is not blocked by `protected-path` or `rolled-back-before`.
    pub fn allowable(&self) -> Result<Allowable, NotAllowable> {
        let (run, phase) = (self.id().clone(), self.phase());
        let refusal = match (phase, self.refusal()) {
            _ if !phase.is_open() => return Err(NotAllowable::Over { run, phase }),
            (Phase::Blocked, Some(refusal)) => refusal,
            _ => return Err(NotAllowable::NotBlocked { run, phase }),
        };
        if !matches!(refusal.reason, Reason::ProtectedPath | Reason::RolledBackBefore) {
            return Err(NotAllowable::OtherReason { run, reason: refusal.reason, detail: refusal.detail.clone() });
        }
        let again_after = self.rolled_back_before().cloned().filter(|_| refusal.reason == Reason::RolledBackBefore);
        let already = again_after.is_none() && refusal.paths.iter().all(|path| self.allowed_paths().contains(path));
        let fingerprint = self.subject().fingerprint;
        Ok(Allowable { run, fingerprint, paths: refusal.paths.clone(), again_after, already, tip: self.tip() })
    }
}
