//! From the `merge_started` event to the merge permit, and to a refusal where there is none.

use selfext_domain::ports::{ControlError, LedgerError, MergeGrant};
use selfext_domain::{
    ControlState, MergePermit, PermitTerms, Reason, RecordedEvent, Refusal, RunId, Stage, guard_pause, held_back_by,
    not_being_taken_back,
};

use crate::reading::doubtful;

/// The terms of the permit that a recorded `merge_started` event is.
pub(crate) fn terms(recorded: &RecordedEvent) -> Result<PermitTerms, LedgerError> {
    let detail = || format!("event {} holds a permit, but is none", recorded.event.id);
    PermitTerms::of(recorded).ok_or_else(|| LedgerError::Corrupt { detail: detail() })
}

/// The permit of a `merge_started` event that is durable and open.
pub(crate) fn granted(recorded: RecordedEvent) -> Result<MergeGrant, LedgerError> {
    let terms = terms(&recorded)?;
    #[expect(clippy::disallowed_methods, reason = "this is the ledger's adapter: the event is durable and open")]
    let permit = MergePermit::from_ledger(terms);
    Ok(MergeGrant::Granted(permit, Box::new(recorded)))
}

/// Refuses because another permit is open.
pub(crate) fn in_flight(other: &RunId) -> MergeGrant {
    let detail = format!(
        "the run {other} has an open merge into the same branch, or of the same pull request. It goes on when that merge is done, \
         refused or fenced off."
    );
    MergeGrant::Refused(Refusal::new(Stage::PromotionMerge, Reason::MergeInFlight, detail))
}

/// Refuses because the run with this last event landed and holds others back.
pub(crate) fn held_back(last: &RecordedEvent) -> Result<MergeGrant, LedgerError> {
    let corrupt = || LedgerError::Corrupt { detail: format!("event {} holds others back, but cannot", last.event.id) };
    held_back_by(last).map(MergeGrant::Refused).ok_or_else(corrupt)
}

/// Refuses a run that is to take back another, of which the ledger does not say that it does.
pub(crate) fn no_rollback(target: &RunId, run: &RunId) -> MergeGrant {
    MergeGrant::Refused(not_being_taken_back(target, run))
}

/// Refuses because another run landed on the base in between.
pub(crate) fn base_moved(other: &RunId) -> MergeGrant {
    let detail =
        format!("the run {other} was promoted into the base since this one was verified, which moves the base.");
    MergeGrant::Refused(Refusal::new(Stage::PromotionMerge, Reason::BaseMoved, detail))
}

/// Refuses because the database found that the control does not let the merge pass. Where the domain reads the same value
/// otherwise, the value is taken for malformed: a doubt refuses. A pause that lets rollbacks pass is none to those, so the database
/// names it only to others.
pub(crate) fn refused_by_control(reading: &Result<ControlState, ControlError>) -> MergeGrant {
    let refusal = guard_pause(reading.as_ref(), false).err();
    refusal.map_or_else(|| refused_by_control(&Err(doubtful())), MergeGrant::Refused)
}

/// The error of a permit that would take over another merge than the run's own.
pub(crate) fn other_merge(run: &RunId) -> LedgerError {
    let problem = "has another merge under way than the one that would be taken over, or fences it off";
    LedgerError::Refused { detail: format!("the run {run} {problem}") }
}

/// The permit of an event that is durable and open, once more, if the control lets a merge pass.
pub(crate) fn reopened(
    recorded: RecordedEvent,
    reading: &Result<ControlState, ControlError>,
    rollback: bool,
) -> Result<MergeGrant, LedgerError> {
    match guard_pause(reading.as_ref(), rollback) {
        Ok(_) => granted(recorded),
        Err(refusal) => Ok(MergeGrant::Refused(refusal)),
    }
}

/// The error of a permit that was asked for again and is not open any more.
pub(crate) fn closed(run: &RunId) -> LedgerError {
    LedgerError::PermitClosed { run: run.clone() }
}

/// The error of a merge that is asked for a run that is not open.
pub(crate) fn not_open(run: &RunId) -> LedgerError {
    LedgerError::Refused { detail: format!("the run {run} is not open, so no merge of it may begin") }
}
