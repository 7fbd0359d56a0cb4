//! The contract suite of the port `Forge`: the same tests, run on each adapter over a real git repository.
//!
//! An adapter's tests implement [`ForgeWorld`] for the service that the adapter speaks to, and write
//! `selfext_contracts::forge_contract!(TheirWorld);`. After every test each exchange that the service saw is checked
//! against GitHub's description of its API, and for the credential.

mod repository;
mod secrecy;
mod stage;
mod world;

#[doc(hidden)]
pub mod cases;

pub use repository::BareRepository;
pub use world::{Answered, ForgeWorld, Misbehaviour, Protected, SeenPullRequest, Step};

/// Writes one `#[tokio::test]` for each case of the contract, run on the given [`ForgeWorld`].
#[macro_export]
macro_rules! forge_contract {
    ($world:ty) => {
        $crate::forge_contract! { @suites $world,
            publishing [
                a_change_goes_all_the_way
                a_message_that_needs_no_care_and_one_that_does_arrive_unchanged
                the_permits_status_says_whether_it_is_open
                publishing_twice_keeps_one_branch_and_one_pull_request
                publishing_anew_brings_title_and_body_up_to_date
                a_moved_base_moves_the_branch_and_keeps_the_pull_request
                a_closed_pull_request_gets_a_successor
                a_branch_with_somebody_elses_commit_is_left_alone
                a_branch_that_is_not_selfexts_is_never_written
                another_tree_leaves_nothing
                another_tree_that_could_not_be_taken_away_is_taken_away_by_repeating
                every_kind_of_file_arrives_unchanged
                three_hundred_files_are_one_commit
                bases_with_slash_and_hash_work
                a_lost_answer_anywhere_is_mended_by_publishing_again
                evidence_that_speaks_against_a_change_is_red
                evidence_is_shown_once_however_often_and_by_whomever
                references_that_lag_behind_are_waited_for
                a_fenced_branch_can_be_published_to_again
                what_was_just_made_and_is_not_known_everywhere_is_asked_for_again
                a_refusal_for_good_is_not_asked_for_again
            ]
            publishing_at_once [
                one_request_makes_everything
                whatever_else_is_answered_the_other_way_is_gone
                a_server_without_it_is_asked_once
                a_part_that_failed_is_mended
                a_tree_that_it_cannot_make_is_made_the_other_way
                limits_end_the_publication
                what_breaks_off_is_mended_by_repeating
                what_stands_is_found
            ]
            surveying [
                a_red_check_run_beside_a_green_status_is_seen
                every_word_about_a_check_run_is_passed_on
                more_than_a_page_of_statuses_and_check_runs_is_read
                a_moved_head_and_a_moved_base_are_seen
                a_partial_reading_is_none
                what_is_not_there_is_not_found
                a_record_that_lags_behind_its_branch_is_waited_for
                a_list_that_changes_while_it_is_read_is_read_again
                what_is_said_of_another_commit_does_not_count
                what_a_branch_holds_since_a_commit_is_read_whole
                a_branch_that_lost_the_commit_is_rewound
            ]
            creators [
                each_accounts_latest_status_of_a_context_is_told
                every_page_of_statuses_is_read_with_its_creators
                statuses_without_a_creator_or_of_another_commit_are_told_apart
            ]
            rules [
                what_protection_and_rulesets_require_is_read_together
                a_service_without_rulesets_has_no_rules_and_one_that_hides_them_is_not_believed
                an_approval_counts_from_a_person_who_may_write_and_did_not_open_the_pull_request
                who_is_in_a_team_is_told_by_the_service_and_never_guessed
                more_than_a_page_of_reviews_is_read_in_its_order
                reviews_are_read_where_the_service_asks_for_them
                who_may_write_is_never_guessed
                a_merge_that_the_services_rules_forbid_has_its_reason
                mergeability_that_is_not_worked_out_is_unknown
            ]
            merging [
                each_method_lands_the_tree_with_its_message
                a_conflict_is_refused
                a_closed_pull_request_is_refused
                a_deleted_branch_is_refused
                what_was_merged_already_is_merged
                what_was_merged_at_another_head_is_not_ours
                a_moved_head_is_refused
                an_unknown_pull_request_is_refused
                a_permit_for_another_repository_is_refused_unasked
            ]
            merge_answers [
                lost_answers_leave_it_in_doubt
                unreadable_answers_leave_it_in_doubt
                refusals_are_told_from_doubt
                what_passes_gives_the_permit_back
                an_open_record_of_a_merged_pull_request_is_doubt
                a_merge_is_asked_for_once
            ]
            background_merges [
                a_merge_in_the_background_is_waited_for
                one_that_takes_too_long_is_in_doubt_and_found_again
                one_that_fails_has_its_reason
                one_that_is_fenced_never_lands
                somebody_elses_takes_its_course_first
                a_server_that_has_no_such_way_is_asked_directly
                each_answer_is_told_from_doubt
            ]
            merge_queue [
                a_change_enters_the_queue_once_and_lands_as_the_queues_commit
                what_stands_behind_others_says_so
                leaving_the_queue_may_be_repeated
                what_was_thrown_out_stands_in_none
                what_may_not_enter_has_its_reason
                a_lost_answer_leaves_it_in_doubt_and_asking_again_finds_it
                a_fenced_head_is_in_no_queue
                a_service_that_does_not_show_its_queue_is_not_believed_to_have_none
            ]
            fencing [
                a_fenced_head_can_never_merge
                fencing_may_be_repeated
                a_branch_that_is_elsewhere_is_left_alone
                a_branch_that_is_gone_cannot_come_back_at_the_fenced_head
                what_is_not_selfexts_is_not_touched
                a_fence_that_cannot_be_seen_is_no_fence
                an_invisible_repository_is_not_a_missing_branch
            ]
            retiring [
                a_retired_branch_is_gone_and_its_head_can_never_merge
                a_branch_whose_record_shows_a_head_stays_at_its_fence
                a_merged_pull_request_does_not_keep_its_branch
                somebody_elses_work_is_not_retired
                selfexts_branches_are_listed_and_no_others
                a_parked_branch_lets_no_late_publication_through
            ]
            pull_requests [
                the_newest_is_found_whatever_its_state
                a_comment_is_said_once
                closing_may_be_repeated
                a_merged_one_is_left_as_it_is
            ]
            failures [
                wrong_credentials_are_told_from_the_rest
                the_credential_is_in_no_error
                limits_say_how_long_to_wait_and_nothing_is_asked_meanwhile
                a_short_limit_is_waited_for
                each_status_has_its_error
                what_breaks_off_or_never_comes_is_unavailable
                what_cannot_be_read_is_unreadable
            ]
            sizes [
                a_thousand_files_are_one_commit_made_in_portions
                a_thousand_files_are_one_request_where_everything_is_made_at_once
                much_text_travels_in_portions_and_not_file_by_file
                a_file_of_thirty_megabytes_arrives
                a_file_that_github_would_refuse_is_refused_before_anything_is_sent
                a_file_takes_the_place_of_a_folder_and_a_folder_that_of_a_file
                executable_bits_are_set_and_cleared_without_another_change
                names_that_look_alike_stay_apart
                a_tree_that_is_not_known_everywhere_yet_is_built_upon_again
            ]
            cost [
                each_call_has_its_number_of_requests
                a_first_read_waits_for_no_other_request
                a_whole_promotion_fits_its_budget
                a_repeated_look_costs_nothing_of_the_limit
            ]
        }
    };
    (@suites $world:ty, $($suite:ident [ $($case:ident)* ])*) => {
        $(
            mod $suite {
                use super::*;

                $(
                    #[tokio::test]
                    async fn $case() {
                        $crate::forge::cases::$suite::$case::<$world>().await;
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
            include_str!("cases/publishing.rs"),
            include_str!("cases/publishing_at_once.rs"),
            include_str!("cases/surveying.rs"),
            include_str!("cases/merging.rs"),
            include_str!("cases/merge_answers.rs"),
            include_str!("cases/background_merges.rs"),
            include_str!("cases/merge_queue.rs"),
            include_str!("cases/fencing.rs"),
            include_str!("cases/retiring.rs"),
            include_str!("cases/pull_requests.rs"),
            include_str!("cases/creators.rs"),
            include_str!("cases/rules.rs"),
            include_str!("cases/failures.rs"),
            include_str!("cases/sizes.rs"),
            include_str!("cases/cost.rs"),
        ];
        for line in sources.iter().flat_map(|source| source.lines()) {
            if let Some(rest) = line.strip_prefix("pub async fn ") {
                let name = rest.split('<').next().unwrap();
                let found = listed.lines().any(|line| line.trim() == name);
                assert!(found, "{name} is not run");
            }
        }
    }
}
