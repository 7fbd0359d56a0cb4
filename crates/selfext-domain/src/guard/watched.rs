//! Who waits for a landed change, and who does not.

use crate::{EventBody, Promoted, Reason, RecordedEvent, Refusal, RunId, Stage};

/// Why the run with this last event holds others of its base branch back, with the command that frees them; `None` if it does not.
/// A rollback is held back by nothing but an earlier rollback of another run that is still under way.
#[must_use]
pub fn held_back_by(last: &RecordedEvent) -> Option<Refusal> {
    let run = last.event.stream.run()?;
    let (stage, reason, detail) = match &last.event.body {
        EventBody::Promoted(Promoted { health: Some(terms), .. }) => (
            Stage::HealthWindow,
            Reason::HealthWindowOpen,
            format!(
                "the run {run} landed at {} and has yet to prove itself, within {} s. `selfext watch` decides it; `selfext rollback \
                 {} --reason …` takes it back.",
                last.recorded_at,
                terms.window_seconds,
                word(run)
            ),
        ),
        EventBody::HealthWindowFailed(failed) => (
            Stage::Rollback,
            Reason::RollbackInProgress,
            format!(
                "the run {run} landed, is sick and is to be taken back ({}). `selfext watch` does it, and so does `selfext rollback \
                 {} --reason …`; `selfext status` shows how it stands.",
                failed.refusal.detail,
                word(run)
            ),
        ),
        EventBody::RollbackStarted(started) => (
            Stage::Rollback,
            Reason::RollbackInProgress,
            format!(
                "the run {run} is being taken back by the run {}. `selfext status` shows how it stands; `selfext abandon {} --by \
                 NAME` ends the attempt.",
                started.rollback_run,
                word(&started.rollback_run)
            ),
        ),
        EventBody::RollbackFailed(failed) => (
            Stage::Rollback,
            Reason::RollbackUnacknowledged,
            format!(
                "the run {run} could not be taken back ({}). `selfext acknowledge {} --by NAME` says that an operator knows, and \
                 frees the branch.",
                failed.refusal.detail,
                word(run)
            ),
        ),
        _ => return None,
    };
    Some(Refusal::new(stage, reason, detail))
}

/// Why a run that says it takes back `target` may not merge: the ledger does not say that `target` is being taken back by it.
#[must_use]
pub fn not_being_taken_back(target: &RunId, by: &RunId) -> Refusal {
    let detail = format!(
        "the ledger does not say that the run {target} is being taken back by the run {by}. `selfext status` shows how both stand; \
         `selfext abandon {} --by NAME` ends this attempt.",
        word(by)
    );
    Refusal::new(Stage::Rollback, Reason::RollbackInProgress, detail)
}

/// A run's id as a word of a command line.
fn word(run: &RunId) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/".contains(c);
    let id = run.as_str();
    if id.chars().all(plain) && !id.starts_with('-') {
        id.to_owned()
    } else {
        format!("'{}'", id.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_id_is_one_word_of_a_command_line() {
        for (id, expected) in
            [("0198-f1.d2", "0198-f1.d2"), ("run 1", "'run 1'"), ("it's", "'it'\\''s'"), ("-x", "'-x'")]
        {
            assert_eq!(word(&RunId::parse(id).unwrap()), expected);
        }
    }
}
