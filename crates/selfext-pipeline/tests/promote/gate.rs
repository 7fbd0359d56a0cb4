//! The gate, the base and the pull request.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use chrono::Duration;
use selfext_domain::ports::{Published, PullRequestState, Survey};
use selfext_domain::*;
use selfext_pipeline::Ending;

use crate::ledger::time;
use crate::world::*;

const QUEUE: MergeQueue = MergeQueue { method: Some(MergeMethod::Squash), each_passes: true };

fn reading(state: StatusState) -> GateReading {
    GateReading {
        statuses: vec![CommitStatus { id: 1, context: "ci".into(), creator: None, state }],
        check_runs: vec![],
    }
}

#[tokio::test]
async fn a_red_context_blocks_and_is_named() {
    let mut world = World::publishing();
    world.forge.expect_survey().times(1).returning(|_, _, _, _| Ok(survey(reading(StatusState::Failure))));
    let outcome = world.promote().await.unwrap();
    let Ending::Blocked(refusal) = outcome.ending else { panic!() };
    assert_eq!((refusal.reason, refusal.contexts[0].verdict), (Reason::StatusGate, ContextVerdict::Failing));
    assert_eq!(outcome.pull_request.unwrap().number, number());
}

#[tokio::test]
async fn a_pending_context_is_waited_for_up_to_the_limit() {
    let mut world = World::publishing();
    world.clock = ports::MockClock::new();
    let waited = Arc::new(AtomicI64::new(0));
    let (now, sleeping) = (waited.clone(), waited.clone());
    world.clock.expect_now().returning(move || time() + Duration::seconds(now.load(Ordering::Relaxed)));
    world.clock.expect_sleep().returning(move |pause| {
        sleeping.fetch_add(i64::try_from(pause.as_secs()).unwrap(), Ordering::Relaxed);
    });
    world.forge.expect_survey().returning(|_, _, _, _| Ok(survey(GateReading::default())));
    let outcome = world.promote().await.unwrap();
    assert_eq!(reason(&outcome), Some(Reason::ChecksPending));
    assert_eq!(waited.load(Ordering::Relaxed), 60);
}

#[tokio::test]
async fn a_pending_context_that_turns_green_lets_the_change_through() {
    let mut world = World::publishing();
    world.clock.expect_sleep().times(2).returning(|_| ());
    let looks = AtomicU32::new(0);
    world.forge.expect_survey().times(3).returning(move |_, _, _, _| {
        let state = if looks.fetch_add(1, Ordering::Relaxed) < 2 { StatusState::Pending } else { StatusState::Success };
        Ok(survey(reading(state)))
    });
    assert!(matches!(world.merging().promote().await.unwrap().ending, Ending::Promoted { .. }));
}

#[tokio::test]
async fn a_wake_up_ends_a_pause_but_for_its_first_second() {
    let mut world = World::publishing();
    world.clock.expect_sleep().times(2).withf(|pause| *pause < std::time::Duration::from_secs(2)).returning(|_| ());
    let looks = AtomicU32::new(0);
    world.forge.expect_survey().times(3).returning(move |_, _, _, _| {
        let state = if looks.fetch_add(1, Ordering::Relaxed) < 2 { StatusState::Pending } else { StatusState::Success };
        Ok(survey(reading(state)))
    });
    let mut wakes = ports::MockWakes::new();
    wakes.expect_count().times(3).returning(|| 7);
    wakes.expect_beyond().times(2).withf(|seen| *seen == 7).returning(|_| ());
    let pipeline = world.merging().pipeline().woken_by(Arc::new(wakes));
    let outcome = pipeline.promote(&change(), None, &selfext_pipeline::Silent).await.unwrap();
    assert!(matches!(outcome.ending, Ending::Promoted { .. }));
}

#[tokio::test]
async fn who_set_the_statuses_is_asked_for_where_the_rules_name_an_account() {
    let of_account = RULES.replace("[\"ci\"]", "[{ context = \"ci\", creator = \"bot\" }]");
    for (rules, asked) in [(RULES, false), (&*of_account, true)] {
        let mut world = World::publishing_by(rules);
        world.forge.expect_survey().times(1).withf(move |_, _, _, scope| scope.creators == asked).returning(
            |_, _, _, _| {
                let mut green = green();
                green.statuses[0].creator = Some("Bot".into());
                Ok(survey(green))
            },
        );
        assert!(matches!(world.merging().promote().await.unwrap().ending, Ending::Promoted { .. }));
    }
}

#[tokio::test]
async fn the_longer_nothing_changes_the_less_often_it_looks() {
    let mut world = World::publishing();
    world.clock = ports::MockClock::new();
    let pauses = Arc::new(std::sync::Mutex::new(Vec::new()));
    let (slept, sleeping) = (pauses.clone(), pauses.clone());
    world.clock.expect_now().returning(move || time() + slept.lock().unwrap().iter().sum::<std::time::Duration>());
    world.clock.expect_sleep().returning(move |pause| sleeping.lock().unwrap().push(pause));
    let looks = AtomicU32::new(0);
    world.forge.expect_survey().returning(move |_, _, _, _| {
        // The third look finds something else.
        let reading = if looks.fetch_add(1, Ordering::Relaxed) < 2 {
            GateReading::default()
        } else {
            reading(StatusState::Pending)
        };
        Ok(survey(reading))
    });
    assert_eq!(reason(&world.promote().await.unwrap()), Some(Reason::ChecksPending));
    assert_eq!(*pauses.lock().unwrap(), [10, 15, 10, 15, 10].map(std::time::Duration::from_secs));
}

#[tokio::test]
async fn a_base_that_moved_is_verified_again_and_then_merged() {
    let mut world = World::publishing();
    let looks = AtomicU32::new(0);
    world.forge.expect_survey().returning(move |_, _, _, _| {
        let first = looks.fetch_add(1, Ordering::Relaxed) == 0;
        Ok(ports::Survey {
            base_head: commit('9'),
            ..survey(if first { reading(StatusState::Pending) } else { green() })
        })
    });
    world.verifier.expect_changed_between().times(1).returning(|_, _, _, _| Ok(vec![]));
    let ledger = world.ledger.clone();
    let outcome = world.merging().promote().await.unwrap();
    assert!(matches!(outcome.ending, Ending::Promoted { .. }));
    assert_eq!(ledger.types(), ["proposed", "tested", "tested", "merge_started", "promoted"]);
    assert_eq!(ledger.runs()[0].tested().unwrap().base_commit, commit('9'));
}

#[tokio::test]
async fn a_base_that_keeps_moving_blocks_after_the_limit() {
    let mut world = World::publishing();
    let looks = AtomicU32::new(0);
    world.forge.expect_survey().times(3).returning(move |_, _, _, _| {
        let digit = char::from_digit(looks.fetch_add(1, Ordering::Relaxed) + 3, 10).unwrap();
        Ok(ports::Survey { base_head: commit(digit), ..survey(green()) })
    });
    world.verifier.expect_changed_between().returning(|_, _, _, _| Ok(vec![]));
    assert_eq!(reason(&world.promote().await.unwrap()), Some(Reason::BaseMoved));
}

#[tokio::test]
async fn a_file_that_others_changed_on_the_base_since_is_not_overwritten() {
    let mut world = World::publishing().retiring();
    world.forge.expect_survey().returning(|_, _, _, _| Ok(ports::Survey { base_head: commit('9'), ..survey(green()) }));
    world.verifier.expect_changed_between().returning(|_, _, _, paths| Ok(paths.to_vec()));
    let outcome = world.promote().await.unwrap();
    assert_eq!(reason(&outcome), Some(Reason::BaseConflict));
    assert!(matches!(outcome.ending, Ending::Failed(_)));
}

#[tokio::test]
async fn a_pull_request_that_others_touched_is_not_merged() {
    for (spoil, expected) in [
        (PullRequestState::Closed, Reason::PullRequestClosed),
        (PullRequestState::Merged { commit: Some(landed()) }, Reason::MergedElsewhere),
    ] {
        let mut world = World::publishing();
        world
            .forge
            .expect_survey()
            .returning(move |_, _, _, _| Ok(ports::Survey { pull_request: request(spoil.clone()), ..survey(green()) }));
        assert_eq!(reason(&world.promote().await.unwrap()), Some(expected));
    }
    let mut moved = World::publishing();
    moved.forge.expect_survey().returning(|_, _, _, _| {
        let pull_request = ports::PullRequest { head: commit('7'), ..request(PullRequestState::Open) };
        Ok(ports::Survey { pull_request, ..survey(green()) })
    });
    assert_eq!(reason(&moved.promote().await.unwrap()), Some(Reason::HeadMoved));
}

/// How a promotion ends whose survey always looks like this.
async fn refused(look: impl Fn() -> ports::Survey + Send + Sync + 'static) -> (Option<Reason>, i64) {
    let mut world = World::bare();
    world.forge.expect_branch_head().returning(|_| Ok(base()));
    world.verifier.expect_read_file().returning(|_, _, _| Ok(Some(RULES.into())));
    world.verifier.expect_prepare().returning(|_, on, _| Ok(candidate(on)));
    world.verifier.expect_run_stages().returning(|_, _, _| Ok(vec![stage(StageResult::Passed)]));
    world
        .forge
        .expect_publish()
        .returning(|_| Ok(Published { pull_request: number(), url: "http://forge/12".into(), head: head() }));
    world.forge.expect_show_evidence().returning(|_, _| Ok(()));
    let waited = Arc::new(AtomicI64::new(0));
    let (now, sleeping) = (waited.clone(), waited.clone());
    world.clock.expect_now().returning(move || time() + Duration::seconds(now.load(Ordering::Relaxed)));
    world.clock.expect_sleep().returning(move |pause| {
        sleeping.fetch_add(i64::try_from(pause.as_secs()).unwrap(), Ordering::Relaxed);
    });
    world.forge.expect_survey().returning(move |_, _, _, _| Ok(look()));
    let outcome = world.promote().await.unwrap();
    (reason(&outcome), waited.load(Ordering::Relaxed))
}

#[tokio::test]
async fn what_the_forge_requires_is_required_too() {
    let required = |name: &str| vec![RequiredContext { context: name.into(), pin: None }];
    let also = move || BranchRules { required: required("scan"), ..BranchRules::default() };
    let waiting = refused(move || ports::Survey { rules: also(), ..survey(green()) }).await;
    assert_eq!(waiting, (Some(Reason::ChecksPending), 60));
    let mut world = World::publishing().merging();
    let own = move || BranchRules { required: required(PERMIT_CONTEXT), ..BranchRules::default() };
    world.forge.expect_survey().returning(move |_, _, _, _| Ok(ports::Survey { rules: own(), ..survey(green()) }));
    assert!(matches!(world.promote().await.unwrap().ending, Ending::Promoted { .. }));
}

#[tokio::test]
async fn approvals_are_waited_for_and_changes_that_are_asked_for_are_not() {
    let rules = || BranchRules { approvals: 1, ..BranchRules::default() };
    let review = |state| Review { reviewer: "r".into(), state, commit: Some(head()), counts: true };
    let missing = refused(move || ports::Survey { rules: rules(), ..survey(green()) }).await;
    assert_eq!(missing, (Some(Reason::ReviewMissing), 60));
    let reviews = move || vec![review(ReviewState::ChangesRequested)];
    let unwanted = refused(move || ports::Survey { rules: rules(), reviews: reviews(), ..survey(green()) }).await;
    assert_eq!(unwanted, (Some(Reason::ChangesRequested), 0));
    let mut world = World::publishing().merging();
    world.clock.expect_sleep().times(1).returning(|_| ());
    let looks = AtomicU32::new(0);
    world.forge.expect_survey().times(2).returning(move |_, _, _, _| {
        let reviews =
            if looks.fetch_add(1, Ordering::Relaxed) == 0 { vec![] } else { vec![review(ReviewState::Approved)] };
        Ok(ports::Survey { rules: rules(), reviews, ..survey(green()) })
    });
    assert!(matches!(world.promote().await.unwrap().ending, Ending::Promoted { .. }));
}

#[tokio::test]
async fn a_base_with_a_merge_queue_or_without_the_method_is_refused_at_once() {
    let queue = || BranchRules { merge_queue: Some(QUEUE), ..BranchRules::default() };
    let refusal = refused(move || ports::Survey { rules: queue(), ..survey(green()) }).await;
    assert_eq!(refusal, (Some(Reason::MergeQueueRequired), 0));
    let methods = || BranchRules { methods: Some(vec![MergeMethod::Merge]), ..BranchRules::default() };
    let refusal = refused(move || ports::Survey { rules: methods(), ..survey(green()) }).await;
    assert_eq!(refusal, (Some(Reason::BlockedByProtection), 0));
}

#[tokio::test]
async fn a_draft_and_a_conflict_have_their_own_reasons() {
    let draft = || ports::PullRequest { draft: true, ..request(PullRequestState::Open) };
    let refusal = refused(move || ports::Survey { pull_request: draft(), ..survey(green()) }).await;
    assert_eq!(refusal, (Some(Reason::PullRequestDraft), 0));
    let conflict = || ports::PullRequest { mergeable: Some(false), ..request(PullRequestState::Open) };
    let refusal = refused(move || ports::Survey { pull_request: conflict(), ..survey(green()) }).await;
    assert_eq!(refusal, (Some(Reason::MergeConflict), 0));
}

#[tokio::test]
async fn unknown_mergeability_is_neither_yes_nor_no() {
    let unknown = || ports::PullRequest { mergeable: None, ..request(PullRequestState::Open) };
    let refusal = refused(move || ports::Survey { pull_request: unknown(), ..survey(green()) }).await;
    assert_eq!(refusal, (Some(Reason::MergeabilityUnknown), 60));
    let mut world = World::publishing().merging();
    world.clock.expect_sleep().times(2).returning(|_| ());
    let looks = AtomicU32::new(0);
    world.forge.expect_survey().times(3).returning(move |_, _, _, _| {
        let known = looks.fetch_add(1, Ordering::Relaxed) == 2;
        let pull_request = if known { request(PullRequestState::Open) } else { unknown() };
        Ok(ports::Survey { pull_request, ..survey(green()) })
    });
    assert!(matches!(world.promote().await.unwrap().ending, Ending::Promoted { .. }));
}

#[tokio::test]
async fn an_approval_of_each_team_is_waited_for_and_asked_for_last() {
    let rules = RULES.replace("wait_seconds = 60", "wait_seconds = 0");
    let rules = rules.replace("[gate]\n", "[gate]\napprovals_by_team = [\"o/security\", \"o/web\"]\n");
    let approved = |by: &[&str]| {
        let review = |by: &&str| {
            let (reviewer, commit) = ((*by).to_owned(), Some(head()));
            Review { reviewer, state: ReviewState::Approved, commit, counts: true }
        };
        Survey { reviews: by.iter().map(review).collect(), ..survey(reading(StatusState::Success)) }
    };
    for (by, members, expected) in [
        (&[][..], None, Some(Reason::ReviewMissing)),
        (&["ann"], Some(["ann", "ann"]), None),
        (&["ann", "bob"], Some(["bob", "ann"]), None),
        (&["ann"], Some(["ann", "bob"]), Some(Reason::ReviewMissing)),
        (&["ann"], Some(["ann", ""]), Some(Reason::ForgeRefused)),
    ] {
        let mut world = World::publishing_by(&rules);
        let given = approved(by);
        world
            .forge
            .expect_survey()
            .withf(|_, _, _, scope| scope.reviews)
            .returning(move |_, _, _, _| Ok(given.clone()));
        if let Some([security, web]) = members {
            world.forge.expect_members_among().returning(move |team, logins| {
                let member = if team.slug() == "security" { security } else { web };
                if member.is_empty() {
                    return Err(ports::ForgeError::Refused("no such team".into()));
                }
                assert!(logins.contains(&"ann".to_owned()), "those who approved are asked about");
                Ok(vec![member.to_owned()])
            });
        }
        let world = if expected.is_none() { world.merging() } else { world };
        let outcome = world.promote().await.unwrap();
        assert_eq!(reason(&outcome), expected, "{by:?} {members:?}: {outcome:?}");
        let told = format!("{outcome:?}");
        assert!(members != Some(["ann", "bob"]) || told.contains("o/web") && !told.contains("o/security"), "{told}");
    }
}
