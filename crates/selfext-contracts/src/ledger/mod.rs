//! The contract suite of the port `Ledger`: the same tests, run on each adapter over a real database.
//!
//! An adapter's tests implement [`LedgerFixture`] for their database, and write
//! `selfext_contracts::ledger_contract!(TheirFixture);`.

mod earlier;
mod fixture;
mod landed;
mod story;

#[doc(hidden)]
pub mod cases;

pub use earlier::{EarlierLife, earlier_lives, stand_as_they_ended};
pub use fixture::{LedgerFixture, Ports};
pub use landed::commit_of;
pub use story::{Story, append, before, begin_merge, fresh_id, granted, operator, refused};

/// Writes one `#[tokio::test]` for each case of the contract, run on the given [`LedgerFixture`].
#[macro_export]
macro_rules! ledger_contract {
    ($fixture:ty) => {
        $crate::ledger_contract! { @suites $fixture,
            appending [
                an_event_reads_back_as_it_was_recorded
                a_stream_that_is_not_there_is_empty
                a_repeated_append_is_recorded_once
                an_id_with_other_content_is_refused
                a_number_that_is_not_next_is_a_conflict
                a_writer_that_knows_another_event_is_refused
                what_others_write_is_refused
                any_text_survives
                any_legal_run_id_works
                a_megabyte_survives
                an_event_of_a_later_version_survives
                an_event_that_nobody_could_read_back_is_refused
            ]
            batches [
                a_batch_is_recorded_as_its_events_one_by_one
                a_repeated_batch_is_recorded_once
                a_batch_without_events_is_nothing
                a_batch_that_is_not_next_is_a_conflict
                a_batch_behind_another_event_is_refused
                a_batch_with_a_used_id_is_not_recorded_at_all
                a_batch_with_what_others_write_is_not_recorded_at_all
                a_batch_of_which_a_part_is_recorded_is_refused
                a_batch_ends_its_run
                the_same_batch_at_once_is_recorded_once
                one_of_eight_batches_wins
            ]
            concurrency [
                one_of_two_writers_of_a_run_wins
                one_of_eight_writers_of_a_run_wins
                writers_that_decide_anew_all_get_in_without_gaps
                the_same_append_at_once_is_recorded_once
                one_of_sixteen_proposers_wins
                one_of_sixteen_merges_into_a_branch_begins
            ]
            proposing [
                a_run_follows_the_one_that_its_writer_knows
                subjects_are_told_apart_by_all_of_their_parts
                a_predecessor_that_is_not_there_is_refused
                a_taken_run_id_is_a_conflict
                a_repeated_proposal_is_recorded_once
                only_a_proposal_with_a_subject_begins_a_run
            ]
            merging [
                a_permit_has_the_terms_that_the_run_tells
                asking_again_yields_the_same_permit
                a_permit_that_is_fenced_or_closed_is_not_yielded_again
                what_ends_a_merge_frees_the_branch
                another_merge_of_the_branch_or_pull_request_is_in_flight
                a_takeover_is_the_permit_from_then_on
                only_the_same_merge_is_taken_over_and_not_while_it_is_fenced
                a_merge_waits_for_a_look_at_what_landed_since_its_run_was_tested
                merges_elsewhere_do_not_disturb_each_other
                a_stale_number_is_a_conflict_and_begins_nothing
                a_run_that_is_not_open_begins_no_merge
                only_merge_started_with_its_facts_begins_a_merge
                a_run_without_a_permit_reopens_nothing
                the_time_is_that_of_the_clock_that_dates_events
            ]
            reading [
                open_runs_are_those_without_an_end
                followers_read_everything_in_pages
                a_follower_misses_nothing_while_others_write
                what_queries_read_is_what_the_content_says
            ]
            queries [
                an_overview_tells_what_runs_and_what_may_merge
                an_overview_is_cut_to_its_limit_and_counts_what_is_open
                an_overview_without_a_control_says_so
                runs_come_in_pages_with_their_last_events
                runs_are_found_by_goal_tool_and_pull_request
                open_and_blocked_runs_are_found
                runs_and_events_are_found_by_time
                events_are_found_by_type_in_pages
            ]
            archive [
                rows_are_what_is_stored_in_the_order_of_positions
                checkpoints_follow_one_another
                one_of_two_that_seal_at_once_adds_its_checkpoint
                a_checkpoint_stays_as_it_is
                what_contradicts_the_ledger_is_told
            ]
            remembering [
                a_repositorys_first_number_is_remembered
                of_numbers_that_come_at_once_one_is_remembered
                what_is_remembered_of_a_repository_stays_as_it_is
            ]
            standing [
                an_open_window_is_watched_until_it_is_decided
                a_promotion_without_a_window_is_not_watched
                what_is_taken_back_is_watched_until_it_is_or_an_operator_knows
                a_healthy_run_that_is_taken_back_is_watched_again
                only_what_may_free_a_run_frees_it
                a_run_that_never_landed_is_not_watched
                watched_runs_stand_in_the_order_in_which_they_landed
                branches_stand_for_themselves
                the_baseline_is_seeded_once_and_moved_by_windows_that_pass
                rollbacks_are_counted_within_the_time_that_is_asked_about
                rollbacks_that_an_operator_has_seen_are_not_counted
                a_batch_is_followed_as_its_events_one_by_one
                an_overview_tells_what_is_watched_and_the_baselines
                lists_that_contradict_the_ledger_are_told
            ]
            waiting [
                each_state_of_a_landed_run_holds_others_back_in_its_own_words
                the_most_serious_holds_back_first
                other_branches_do_not_wait
                a_permit_that_is_open_is_taken_over_and_reopened_all_the_same
                a_rollback_waits_for_no_window_and_no_failed_rollback
                of_two_rollbacks_the_first_goes_first
                a_run_that_only_says_that_it_takes_back_another_does_not_merge
                a_run_that_only_another_says_to_be_a_rollback_is_none
                a_pause_that_allows_rollbacks_believes_the_ledger_alone
                merges_that_race_with_a_landing_all_wait_for_it
            ]
            heartbeats [
                a_heartbeat_reads_back_with_the_databases_time
                samples_come_in_the_order_of_their_times_from_a_time_on
                agents_are_told_apart_by_repository_and_base
                any_detail_survives
                old_heartbeats_are_forgotten_and_young_ones_kept
                what_an_open_window_needs_is_not_forgotten
                what_a_window_needs_that_opens_next_is_not_forgotten
            ]
            leases [
                a_lease_is_taken_renewed_and_refused_to_others
                a_lease_ends_by_the_databases_clock
                a_lease_that_is_given_up_is_free
                only_its_holder_gives_a_lease_up
                of_many_that_ask_at_once_one_has_it
                leases_are_told_apart_by_name_and_any_text_survives
            ]
            waits [
                a_wait_is_seen_until_it_ends
                a_wait_ends_by_the_databases_clock
                the_same_wait_that_goes_on_keeps_its_beginning
                waits_of_other_holders_and_runs_stay
                a_run_that_may_merge_or_is_over_does_not_wait
                waits_that_are_long_over_are_forgotten
                any_text_of_a_wait_survives
            ]
            following [
                a_follower_gives_everything_once_and_in_order_while_others_write
                nothing_is_given_before_what_an_open_transaction_may_still_write
                a_write_of_anybody_wakes_a_follower_that_does_not_poll
                what_nobody_tells_of_is_found_by_polling
                a_call_that_is_dropped_loses_and_repeats_nothing
                a_follower_goes_on_behind_the_position_where_another_one_stopped
                more_than_a_batch_comes_in_batches
                a_follower_whose_last_event_is_gone_does_not_go_on
            ]
            guarding [
                the_database_refuses_to_change_what_is_recorded
                an_edited_content_is_found
                a_dropped_event_is_found
                reordered_events_are_found
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
                        $crate::ledger::cases::$suite::$case::<$fixture>().await;
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
        let sources = [
            include_str!("cases/appending.rs"),
            include_str!("cases/archive.rs"),
            include_str!("cases/batches.rs"),
            include_str!("cases/concurrency.rs"),
            include_str!("cases/following.rs"),
            include_str!("cases/guarding.rs"),
            include_str!("cases/merging.rs"),
            include_str!("cases/proposing.rs"),
            include_str!("cases/queries.rs"),
            include_str!("cases/reading.rs"),
            include_str!("cases/remembering.rs"),
            include_str!("cases/standing.rs"),
            include_str!("cases/waiting.rs"),
            include_str!("cases/heartbeats.rs"),
            include_str!("cases/leases.rs"),
            include_str!("cases/waits.rs"),
        ];
        for line in sources.iter().flat_map(|source| source.lines()) {
            if let Some(rest) = line.strip_prefix("pub async fn ") {
                let name = rest.split('<').next().unwrap();
                assert!(listed.lines().any(|line| line.trim() == name), "{name} is not run");
            }
        }
    }
}
