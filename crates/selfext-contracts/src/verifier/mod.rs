//! The contract suite of the port `Verifier`: the same tests, run on each adapter over a repository that git made.
//!
//! An adapter's tests implement [`VerifierWorld`] and write `selfext_contracts::verifier_contract!(TheirWorld);`.

mod change;
mod process;
mod scene;
mod source_repository;
mod world;

#[doc(hidden)]
pub mod cases;

pub use source_repository::SourceRepository;
pub use world::VerifierWorld;

/// Writes one `#[tokio::test]` for each case of the contract, run on the given [`VerifierWorld`]. The cases need git, a
/// POSIX shell, `ps` and `setsid`.
#[macro_export]
macro_rules! verifier_contract {
    ($world:ty) => {
        $crate::verifier_contract! { @suites $world,
            bases [
                a_regular_file_is_read_and_nothing_else
                rules_are_read_from_the_base_whatever_the_candidate_says
                every_commit_of_the_branch_may_be_a_base
                a_base_that_cannot_be_had_is_missing
                a_base_survives_a_force_push
                what_changed_between_two_bases_is_told
            ]
            candidates [
                a_candidate_is_the_tree_that_git_makes
                the_same_change_gives_the_same_candidate
                modes_are_kept_unless_asked_for
                what_does_not_differ_is_no_entry
                contents_are_stored_as_they_are
                a_link_or_submodule_is_replaced_by_a_file
                a_file_may_become_a_folder_and_a_folder_a_file
                deleting_what_is_not_there_is_refused
                a_path_below_what_is_no_folder_is_refused
                a_file_in_the_place_of_a_folder_is_refused
                names_that_differ_in_case_alone_are_refused
                names_that_differ_in_normal_form_alone_are_refused
                a_thousand_files_are_one_candidate
            ]
            reversals [
                a_whole_change_is_taken_back
                modes_are_restored_under_what_others_wrote
                what_others_changed_elsewhere_is_kept
                what_is_restored_already_is_left_alone
                a_merge_is_taken_back_to_its_first_parent
                bytes_are_restored_and_merged_as_they_are
                a_thousand_files_are_taken_back_at_once
                what_cannot_be_taken_back_is_an_error_that_says_why
                what_a_rollback_could_not_restore_is_told_before
            ]
            reversal_conflicts [
                lines_that_others_changed_too_are_marked
                what_others_did_to_a_file_is_told_where_nothing_can_be_merged
                a_link_or_submodule_that_was_there_cannot_be_restored
                a_file_or_folder_of_others_is_not_pushed_aside
            ]
            histories [
                any_change_is_taken_back_exactly
                whatever_others_did_the_inverse_applies_and_touches_nothing_else
            ]
            attributes [
                a_stage_sees_the_bytes_of_an_ordinary_clone
                attributes_of_the_base_act_as_in_a_clone
                what_only_archives_do_is_not_done
            ]
            stages [
                a_stage_sees_the_candidates_files
                stages_run_in_order_and_share_the_worktree
                a_failing_stage_stops_the_rest
                a_signal_is_told
                a_program_that_is_not_there_could_not_start
                a_program_of_the_candidates_is_started
                there_is_no_shell_and_no_input
                output_and_errors_are_in_the_order_they_were_written
                the_tail_of_the_output_is_kept_and_all_of_it_is_counted
                a_token_in_the_output_is_redacted
                no_stage_is_no_report
                output_that_the_rules_do_not_ask_for_is_no_success
                a_report_says_what_ran_and_behind_which_walls
            ]
            dependencies [
                dependencies_are_prepared_on_the_base_before_the_candidate_is_there
                dependencies_are_prepared_once_for_the_same_lock_file
                another_lock_file_or_stage_prepares_anew
                a_stage_that_is_called_otherwise_finds_what_it_prepared_under_its_new_name
                what_a_candidate_does_to_its_dependencies_ends_with_its_run
                a_change_of_a_lock_file_is_prepared_on_the_candidate_and_not_kept
                a_preparation_that_fails_is_told_and_not_kept
                stages_on_the_base_build_on_one_another
                a_missing_lock_file_and_what_is_in_the_way_are_named
                a_link_that_preparing_leaves_leads_nothing_out
                two_runs_at_once_prepare_once
                dropping_a_preparation_keeps_nothing_and_lets_the_next_one_prepare
            ]
            surroundings [
                home_and_temporary_folder_are_fresh_and_private
                variables_of_the_agent_are_not_seen
                descriptors_of_the_agent_are_closed
                a_stage_leads_its_own_session
            ]
            endings [
                the_time_limit_ends_the_whole_group
                a_stage_that_ignores_signals_is_ended
                endless_output_is_ended_at_the_time_limit
                output_beyond_its_limit_ends_the_stage
                processor_time_beyond_its_limit_ends_the_stage
                a_file_beyond_its_limit_ends_the_stage
                a_grandchild_that_holds_the_output_does_not_hold_up_the_stage
                a_grandchild_that_left_the_group_and_holds_the_output_does_not_hold_up_the_stage
                dropping_ends_the_stage_and_removes_the_worktree
                the_worktree_is_gone_however_the_stage_ended
                read_only_folders_are_removed_too
                runs_at_once_share_nothing
            ]
            @again hostility [
                nothing_that_the_source_configures_is_run
                secrets_of_the_agent_are_not_seen_and_its_configuration_is_not_used
            ]
        }
    };
    (@suites $world:ty, $($suite:ident [ $($case:ident)* ])* @again $again:ident [ $($twice:ident)* ]) => {
        $(
            mod $suite {
                use super::*;

                $(
                    #[tokio::test]
                    async fn $case() {
                        $crate::verifier::cases::$suite::$case::<$world>().await;
                    }
                )*
            }
        )*
        mod $again {
            use super::*;

            $(
                #[tokio::test]
                async fn $twice() {
                    let name = concat!(module_path!(), "::", stringify!($twice));
                    $crate::verifier::cases::$again::$twice::<$world>(name).await;
                }
            )*
        }
    };
}

#[cfg(test)]
mod tests {
    /// The macro above lists the cases by hand; this finds the one that was forgotten.
    #[test]
    fn every_case_is_in_the_macro() {
        let listed = include_str!("mod.rs");
        let sources = [
            include_str!("cases/bases.rs"),
            include_str!("cases/candidates.rs"),
            include_str!("cases/reversals.rs"),
            include_str!("cases/reversal_conflicts.rs"),
            include_str!("cases/histories.rs"),
            include_str!("cases/attributes.rs"),
            include_str!("cases/stages.rs"),
            include_str!("cases/dependencies.rs"),
            include_str!("cases/surroundings.rs"),
            include_str!("cases/endings.rs"),
            include_str!("cases/hostility.rs"),
        ];
        for line in sources.iter().flat_map(|source| source.lines()) {
            if let Some(rest) = line.strip_prefix("pub async fn ") {
                let name = rest.split('<').next().unwrap();
                assert!(listed.lines().any(|line| line.trim() == name), "{name} is not run");
            }
        }
    }
}
