//! Each rule is needed: without it, something breaks.

use crate::check::breaks;
use crate::model::{Aim, BASE, PROMOTED_ONCE, Protocol, QUIET, STILL, TRUTH};
use crate::rules::{Bounds, Rule};
use crate::safe::{PAIR, protocol};

const RUNS: Bounds = Bounds { runs: 2, strays: 1, ..PAIR };
const FAILOVER: Bounds = Bounds { failovers: 1, lost: 2, ..PAIR };

const fn people(people: u8) -> Bounds {
    Bounds { people, ..PAIR }
}

fn without(rule: Rule, bounds: Bounds, property: &'static str) {
    let model = Protocol { without: Some(rule), ..protocol(bounds, Aim::Breach(property)) };
    breaks(&format!("permit protocol without {rule:?}, {bounds}"), model);
}

#[test]
fn an_append_that_names_no_tip_breaks_a_pause_and_promotes_twice() {
    without(Rule::CompareAndSet, PAIR, QUIET);
    without(Rule::CompareAndSet, PAIR, PROMOTED_ONCE);
}

#[test]
fn a_takeover_that_writes_nothing_breaks_a_pause_and_the_truth() {
    without(Rule::TakeoverIsWritten, PAIR, QUIET);
    without(Rule::TakeoverIsWritten, PAIR, TRUTH);
}

#[test]
fn a_takeover_that_trusts_a_refusal_breaks_a_pause() {
    without(Rule::TakeoverIsDoubtful, PAIR, QUIET);
}

#[test]
fn a_takeover_that_does_not_look_at_the_control_breaks_a_pause() {
    without(Rule::TakeoverObeysControl, PAIR, STILL);
    without(Rule::TakeoverObeysControl, FAILOVER, QUIET);
}

#[test]
fn asking_again_without_reopening_asks_under_a_pause() {
    without(Rule::AskingAgainIsReopened, PAIR, STILL);
}

#[test]
fn a_lost_answer_that_is_taken_for_a_refusal_breaks_a_pause() {
    without(Rule::LostAnswerIsDoubt, PAIR, QUIET);
}

#[test]
fn two_permits_into_one_base_land_on_a_base_that_was_not_verified() {
    without(Rule::OnePermit, RUNS, BASE);
}

#[test]
fn a_grant_that_does_not_look_for_newer_promotions_lands_on_a_base_that_was_not_verified() {
    without(Rule::NothingPromotedSince, RUNS, BASE);
}

#[test]
fn a_survey_that_does_not_read_the_base_lands_on_a_base_that_was_not_verified() {
    without(Rule::SurveyReadsBase, RUNS, BASE);
}

#[test]
fn a_grant_in_an_unknown_history_breaks_a_pause() {
    without(Rule::HistoryAtGrant, FAILOVER, QUIET);
}

#[test]
fn a_pause_that_answers_in_an_unknown_history_does_not_hold() {
    without(Rule::HistoryAtPause, FAILOVER, QUIET);
}

#[test]
fn a_pause_that_answers_after_another_operators_resume_does_not_hold() {
    without(Rule::PausedAtAnswer, PAIR, QUIET);
}

#[test]
fn a_pause_that_does_not_count_fences_does_not_hold() {
    without(Rule::FencingIsInFlight, PAIR, QUIET);
}

#[test]
fn accepting_a_history_while_a_lost_permits_request_is_on_its_way_breaks_the_next_pause() {
    without(Rule::SweepBeforeAccept, FAILOVER, QUIET);
}

#[test]
fn a_commit_that_a_late_request_can_put_back_undoes_a_fence() {
    without(Rule::CommitPerClaim, people(1), TRUTH);
}

#[test]
fn closing_alone_is_no_fence() {
    without(Rule::FenceMovesBranch, people(1), TRUTH);
}

#[test]
fn a_fence_that_leaves_a_deleted_branch_to_be_restored_is_none() {
    without(Rule::FenceMakesBranch, people(3), TRUTH);
}

#[test]
fn a_fence_that_does_not_look_last_fails_what_landed() {
    without(Rule::FenceLooksLast, PAIR, TRUTH);
}

#[test]
fn deleting_a_fenced_branch_at_once_undoes_the_fence() {
    without(Rule::FencedBranchIsKept, people(3), TRUTH);
}

#[test]
fn another_pull_requests_record_brings_a_fenced_head_back() {
    without(Rule::EveryRecordCounts, people(3), TRUTH);
}

/// The limit: nothing of selfext's keeps people from deleting the fence and putting the head back where a record shows it.
#[test]
fn four_acts_of_people_undo_a_fence() {
    breaks(&format!("permit protocol, {}", people(4)), protocol(people(4), Aim::Breach(TRUTH)));
}
