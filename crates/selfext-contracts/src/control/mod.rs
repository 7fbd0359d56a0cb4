//! The contract suite of the port `PromotionControl`, together with what the ledger makes of it: the same tests, run on each
//! adapter over a real database.
//!
//! An adapter's tests implement [`LedgerFixture`](crate::ledger::LedgerFixture) for their database, and write
//! `selfext_contracts::control_contract!(TheirFixture);`.

use selfext_domain::ports::{PauseRequest, ResumeRequest};

use crate::ledger::{fresh_id, operator};

#[doc(hidden)]
pub mod cases;

/// A pause by `ops` that rollbacks do not pass, with a fresh id.
#[must_use]
pub fn pause_request(reason: &str) -> PauseRequest {
    PauseRequest {
        event: fresh_id(),
        by: operator("ops"),
        reason: reason.to_owned(),
        allow_rollbacks: false,
        os_user: Some("root".to_owned()),
    }
}

/// A resume by `ops`, with a fresh id.
#[must_use]
pub fn resume_request() -> ResumeRequest {
    ResumeRequest {
        event: fresh_id(),
        by: operator("ops"),
        reason: Some("all is well".to_owned()),
        os_user: None,
        accept: None,
    }
}

/// Writes one `#[tokio::test]` for each case of the contract, run on the given
/// [`LedgerFixture`](crate::ledger::LedgerFixture).
#[macro_export]
macro_rules! control_contract {
    ($fixture:ty) => {
        $crate::control_contract! { @suites $fixture,
            pausing [
                a_fresh_database_runs
                a_pause_is_read_back_and_recorded
                any_reason_survives
                a_repeated_pause_is_recorded_once_and_changes_nothing
                pausing_what_is_paused_is_a_new_pause
                an_id_of_another_event_is_refused_and_changes_nothing
                a_resume_is_recorded_and_frees
                resuming_what_runs_records_the_wish_and_changes_nothing
                the_answers_tell_the_open_permits
            ]
            refusing [
                a_pause_refuses_grants_and_reopening
                a_pause_that_allows_rollbacks_lets_them_alone_pass
                a_missing_row_refuses_everything
                a_malformed_row_refuses_everything
                a_row_of_another_history_refuses_everything_but_a_pause
                the_database_reads_the_control_as_the_domain_does
                starting_again_never_heals_a_deleted_row
                a_pause_heals_a_missing_and_a_malformed_row
                a_kill_switch_is_neither_read_nor_written
            ]
            racing [
                two_first_pauses_at_once_both_succeed
                sixteen_pausers_number_the_stream_without_gaps
                the_same_pause_at_once_is_recorded_once
                no_merge_begins_between_a_pause_and_the_next_resume
                after_nothing_in_flight_no_merge_begins_until_resume
            ]
        }
    };
    (@suites $fixture:ty, $($suite:ident [ $($case:ident)* ])*) => {
        $(
            mod $suite {
                use super::*;

                $(
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $case() {
                        $crate::control::cases::$suite::$case::<$fixture>().await;
                    }
                )*
            }
        )*
    };
}

#[cfg(test)]
mod tests {
    /// The macro above lists the cases by hand; this finds the one that was forgotten.
    #[test]
    fn every_case_is_in_the_macro() {
        let listed = include_str!("mod.rs");
        let sources =
            [include_str!("cases/pausing.rs"), include_str!("cases/racing.rs"), include_str!("cases/refusing.rs")];
        for line in sources.iter().flat_map(|source| source.lines()) {
            if let Some(rest) = line.strip_prefix("pub async fn ") {
                let name = rest.split('<').next().unwrap();
                assert!(listed.lines().any(|line| line.trim() == name), "{name} is not run");
            }
        }
    }
}
