//! The pause guard.

use crate::ports::ControlError;
use crate::{ControlState, Reason, Refusal, Stage};

/// The proof that the control was read and said "not paused". It says so of the moment of reading only: a merge needs a
/// [`MergePermit`](crate::MergePermit), which is granted under the control's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PausePermit(());

/// Judges what reading the control gave. Only an explicit "not paused" passes.
///
/// # Errors
/// A [`Refusal`] in the stage `promotion-guard`: paused, missing, malformed or unreadable.
pub fn guard_pause(reading: Result<&ControlState, &ControlError>, rollback: bool) -> Result<PausePermit, Refusal> {
    let refuse = |reason, detail: String| Err(Refusal::new(Stage::PromotionGuard, reason, detail));
    match reading {
        Ok(ControlState::Running) => Ok(PausePermit(())),
        Ok(ControlState::Paused(pause)) if rollback && pause.allow_rollbacks => Ok(PausePermit(())),
        Ok(ControlState::Paused(pause)) => refuse(
            Reason::PromotionPaused,
            format!("promotion is paused by {} since {}: {}. It goes on after `selfext resume`.", pause.by, pause.since, pause.reason),
        ),
        Err(ControlError::Missing) => refuse(
            Reason::ControlMissing,
            "the control row is missing, so nothing may be promoted. `selfext pause` writes it anew, `selfext resume` then frees \
             promotion."
                .to_owned(),
        ),
        Err(ControlError::Malformed(problem)) => refuse(
            Reason::ControlMalformed,
            format!("{problem}, so nothing may be promoted. `selfext pause` writes it anew, `selfext resume` then frees promotion."),
        ),
        Err(ControlError::HistoryChanged(change)) => refuse(
            Reason::HistoryChanged,
            format!(
                "{change}: its last commits may be lost, a pause or a merge permit among them. `selfext sweep` fences off what may \
                 still merge; `selfext resume --accept-history` then accepts the new history."
            ),
        ),
        Err(error) => refuse(
            Reason::ControlUnreadable,
            format!("the control could not be read ({error}), so nothing may be promoted until it can be."),
        ),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::{HistoryChange, OperatorName, Pause, StoredControl};

    fn paused(allow_rollbacks: bool) -> ControlState {
        let since = DateTime::from_timestamp(0, 0).unwrap();
        ControlState::Paused(Pause {
            by: OperatorName::parse("ops").unwrap(),
            reason: "why".into(),
            allow_rollbacks,
            since,
        })
    }

    #[test]
    fn only_an_explicit_not_paused_passes() {
        assert!(guard_pause(Ok(&ControlState::Running), false).is_ok());
        let malformed =
            StoredControl::from_value(&serde_json::json!({}), DateTime::from_timestamp(0, 0).unwrap()).unwrap_err();
        let changed = ControlError::HistoryChanged(HistoryChange { accepted: None, found: None });
        let table = [
            (guard_pause(Ok(&paused(false)), false), Reason::PromotionPaused),
            (guard_pause(Ok(&paused(true)), false), Reason::PromotionPaused),
            (guard_pause(Ok(&paused(false)), true), Reason::PromotionPaused),
            (guard_pause(Err(&ControlError::Missing), true), Reason::ControlMissing),
            (guard_pause(Err(&changed), true), Reason::HistoryChanged),
            (guard_pause(Err(&ControlError::Malformed(malformed)), true), Reason::ControlMalformed),
            (guard_pause(Err(&ControlError::unavailable("down")), true), Reason::ControlUnreadable),
        ];
        for (verdict, reason) in table {
            assert_eq!(verdict.unwrap_err().reason, reason);
        }
    }

    #[test]
    fn a_rollback_passes_a_pause_that_allows_rollbacks() {
        assert!(guard_pause(Ok(&paused(true)), true).is_ok());
    }
}
