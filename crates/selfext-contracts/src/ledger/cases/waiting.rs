use std::sync::Arc;

use futures::future::join_all;
use selfext_domain::ports::{Ledger, LedgerError, MergeGrant, PauseRequest};
use selfext_domain::{Event, Reason, Refusal, Stage};

use crate::control::pause_request;
use crate::ledger::{LedgerFixture, Story, begin_merge, granted, refused};

/// What is said to a run that would like to merge; it has not yet.
async fn refusal_of(ledger: &Arc<dyn Ledger>, story: &Story) -> Refusal {
    refused(story.asks(ledger).await)
}

impl Story {
    /// Is tested anew, so that it has seen what landed, and asks for the permit.
    async fn asks(&self, ledger: &Arc<dyn Ledger>) -> MergeGrant {
        self.goes_on(ledger, &self.tested()).await.unwrap();
        let next = ledger.stream_events(&self.run.clone().into()).await.unwrap().len() as u64 + 1;
        begin_merge(ledger, &self.merge_started(), next).await.unwrap()
    }
}

pub async fn each_state_of_a_landed_run_holds_others_back_in_its_own_words<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let (landed, waiting, back) = (Story::new("landed"), Story::new("waiting"), Story::new("back"));
    waiting.begin(&ledger).await;
    landed.land(&ledger, true).await;
    let by = &back.run;
    let states: Vec<(Option<Event>, Stage, Reason, &[&str])> = vec![
        (None, Stage::HealthWindow, Reason::HealthWindowOpen, &["landed", "selfext watch", "selfext rollback landed "]),
        (
            Some(landed.sick()),
            Stage::Rollback,
            Reason::RollbackInProgress,
            &["landed", "sick", "selfext watch", "selfext rollback landed "],
        ),
        (
            Some(landed.rollback_started(by)),
            Stage::Rollback,
            Reason::RollbackInProgress,
            &["landed", "selfext status", "selfext abandon back --by NAME"],
        ),
        (
            Some(landed.rollback_failed(by)),
            Stage::Rollback,
            Reason::RollbackUnacknowledged,
            &["landed", "selfext acknowledge landed --by NAME"],
        ),
    ];
    for (event, stage, reason, words) in states {
        if let Some(event) = event {
            landed.goes_on(&ledger, &event).await.unwrap();
        }
        let refusal = refusal_of(&ledger, &waiting).await;
        assert_eq!((refusal.stage, refusal.reason), (stage, reason));
        assert!(words.iter().all(|word| refusal.detail.contains(word)), "{refusal}");
    }
    landed.goes_on(&ledger, &landed.acknowledged()).await.unwrap();
    let _ = granted(waiting.asks(&ledger).await);
    waiting.goes_on(&ledger, &waiting.failed()).await.unwrap();

    // What frees it otherwise.
    for (number, frees) in ["passed", "rolled back", "windowless"].iter().enumerate() {
        let (landed, waiting) = (Story::new(&format!("landed {number}")), Story::new(&format!("waiting {number}")));
        landed.land(&ledger, *frees != "windowless").await;
        match *frees {
            "passed" => drop(landed.goes_on(&ledger, &landed.passed('c')).await.unwrap()),
            "rolled back" => {
                landed.goes_on(&ledger, &landed.rollback_started(by)).await.unwrap();
                landed.goes_on(&ledger, &landed.rolled_back(by)).await.unwrap();
            }
            _ => {}
        }
        let _ = waiting.begin_merging(&ledger).await;
        waiting.goes_on(&ledger, &waiting.failed()).await.unwrap();
    }
}

pub async fn the_most_serious_holds_back_first<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let (open, rolling, failed) = (Story::new("open"), Story::new("rolling"), Story::new("failed"));
    let back = Story::new("back");
    for story in [&rolling, &failed] {
        story.land(&ledger, false).await;
    }
    open.land(&ledger, true).await;
    let waiting = Story::new("waiting");
    waiting.begin(&ledger).await;
    assert_eq!(refusal_of(&ledger, &waiting).await.reason, Reason::HealthWindowOpen);
    rolling.goes_on(&ledger, &rolling.rollback_started(&back.run)).await.unwrap();
    assert_eq!(refusal_of(&ledger, &waiting).await.reason, Reason::RollbackInProgress);
    failed.goes_on(&ledger, &failed.rollback_started(&back.run)).await.unwrap();
    failed.goes_on(&ledger, &failed.rollback_failed(&back.run)).await.unwrap();
    let refusal = refusal_of(&ledger, &waiting).await;
    assert_eq!(refusal.reason, Reason::RollbackUnacknowledged);
    assert!(refusal.detail.contains("the run failed"), "{refusal}");
}

pub async fn other_branches_do_not_wait<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    Story::new("landed").land(&ledger, true).await;
    for story in
        [Story::new("other base").into_base("develop"), Story::new("other repository").in_repository("acme/other")]
    {
        let _ = story.begin_merging(&ledger).await;
    }
    // Nor does a run pass that says that it goes elsewhere than it began.
    let waiting = Story::new("waiting");
    waiting.begin(&ledger).await;
    let elsewhere = waiting.clone().into_base("third");
    let refused = begin_merge(&ledger, &elsewhere.merge_started(), 3).await.unwrap_err();
    assert!(matches!(refused, LedgerError::Refused { .. }), "{refused}");
    assert_eq!(ledger.stream_events(&waiting.run.into()).await.unwrap().len(), 2);
}

pub async fn a_permit_that_is_open_is_taken_over_and_reopened_all_the_same<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let (landed, merging, back) = (Story::new("landed"), Story::new("merging"), Story::new("back"));
    landed.land(&ledger, true).await;
    landed.goes_on(&ledger, &landed.passed('c')).await.unwrap();
    let _ = merging.begin_merging(&ledger).await;
    // By hand, while the other merges.
    landed.goes_on(&ledger, &landed.rollback_started(&back.run)).await.unwrap();
    let taken = merging.merge_started_by("another");
    let _ = granted(begin_merge(&ledger, &taken, 4).await.unwrap());
    let _ = granted(ledger.reopen_merge(&merging.run, taken.id).await.unwrap());
}

pub async fn a_rollback_waits_for_no_window_and_no_failed_rollback<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let (failed, sick, landed, open) =
        (Story::new("failed"), Story::new("sick"), Story::new("landed"), Story::new("open"));
    let (other, back) = (Story::new("other"), Story::new("back").taking_back(&landed));
    for story in [&failed, &sick, &landed] {
        story.land(&ledger, false).await;
    }
    open.land(&ledger, true).await;
    failed.goes_on(&ledger, &failed.rollback_started(&other.run)).await.unwrap();
    failed.goes_on(&ledger, &failed.rollback_failed(&other.run)).await.unwrap();
    sick.goes_on(&ledger, &sick.sick()).await.unwrap();
    landed.goes_on(&ledger, &landed.rollback_started(&back.run)).await.unwrap();
    back.begin(&ledger).await;
    let _ = granted(back.asks(&ledger).await);
}

pub async fn of_two_rollbacks_the_first_goes_first<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let (one, two) = (Story::new("one"), Story::new("two"));
    one.land(&ledger, false).await;
    two.land(&ledger, false).await;
    let (back_one, back_two) = (Story::new("back one").taking_back(&one), Story::new("back two").taking_back(&two));
    for (story, back) in [(&two, &back_two), (&one, &back_one)] {
        story.goes_on(&ledger, &story.rollback_started(&back.run)).await.unwrap();
        back.begin(&ledger).await;
    }
    let refusal = refusal_of(&ledger, &back_one).await;
    assert_eq!(refusal.reason, Reason::RollbackInProgress);
    assert!(
        refusal.detail.contains("the run two") && refusal.detail.contains("selfext abandon 'back two'"),
        "{refusal}"
    );
    let _ = granted(back_two.asks(&ledger).await);
    back_two.goes_on(&ledger, &back_two.promoted()).await.unwrap();
    two.goes_on(&ledger, &two.rolled_back(&back_two.run)).await.unwrap();
    let _ = granted(back_one.asks(&ledger).await);
}

pub async fn a_run_that_only_says_that_it_takes_back_another_does_not_merge<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let target = Story::new("target");
    target.land(&ledger, true).await;
    let back = Story::new("back").taking_back(&target);
    back.begin(&ledger).await;
    let other = Story::new("other");
    for event in [None, Some(target.rollback_started(&other.run)), Some(target.rollback_failed(&other.run))] {
        if let Some(event) = event {
            target.goes_on(&ledger, &event).await.unwrap();
        }
        let refusal = refusal_of(&ledger, &back).await;
        assert_eq!((refusal.stage, refusal.reason), (Stage::Rollback, Reason::RollbackInProgress));
        assert!(refusal.detail.contains("target") && refusal.detail.contains("selfext abandon back"), "{refusal}");
    }
    target.goes_on(&ledger, &target.rollback_started(&back.run)).await.unwrap();
    let _ = granted(back.asks(&ledger).await);
    // What it takes back has to be of the same branch, and to have landed.
    let (elsewhere, unlanded) = (Story::new("elsewhere").into_base("develop"), Story::new("unlanded"));
    elsewhere.land(&ledger, true).await;
    unlanded.begin(&ledger).await;
    for target in [elsewhere, unlanded] {
        let back = Story::new(&format!("back of {}", target.run)).into_base("third").taking_back(&target);
        target.goes_on(&ledger, &target.rollback_started(&back.run)).await.unwrap();
        back.begin(&ledger).await;
        assert_eq!(refusal_of(&ledger, &back).await.reason, Reason::RollbackInProgress);
    }
}

pub async fn a_run_that_only_another_says_to_be_a_rollback_is_none<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, control) = fixture.ports();
    let (target, story) = (Story::new("target"), Story::new("ordinary"));
    target.land(&ledger, true).await;
    story.begin(&ledger).await;
    target.goes_on(&ledger, &target.rollback_started(&story.run)).await.unwrap();
    assert_eq!(refusal_of(&ledger, &story).await.reason, Reason::RollbackInProgress);
    control.pause(&PauseRequest { allow_rollbacks: true, ..pause_request("deploy") }).await.unwrap();
    assert_eq!(refusal_of(&ledger, &story).await.reason, Reason::PromotionPaused);
}

pub async fn a_pause_that_allows_rollbacks_believes_the_ledger_alone<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, control) = fixture.ports();
    let target = Story::new("target");
    target.land(&ledger, true).await;
    let back = Story::new("back").taking_back(&target);
    back.begin(&ledger).await;
    control.pause(&PauseRequest { allow_rollbacks: true, ..pause_request("deploy") }).await.unwrap();
    assert_eq!(refusal_of(&ledger, &back).await.reason, Reason::PromotionPaused);
    target.goes_on(&ledger, &target.rollback_started(&back.run)).await.unwrap();
    let (permit, _) = granted(back.asks(&ledger).await);
    let _ = granted(ledger.reopen_merge(&back.run, permit.terms().id).await.unwrap());
    // By hand, and against the rules: with what it takes back no longer being taken back, it is no rollback any more.
    target.goes_on(&ledger, &target.rollback_failed(&back.run)).await.unwrap();
    let refusal = refused(ledger.reopen_merge(&back.run, permit.terms().id).await.unwrap());
    assert_eq!(refusal.reason, Reason::PromotionPaused);
}

pub async fn merges_that_race_with_a_landing_all_wait_for_it<F: LedgerFixture>() {
    const WAITING: usize = 6;
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    for round in 0..8 {
        let landing = Story::new(&format!("landing {round}"));
        let _ = landing.begin_merging(&ledger).await;
        let waiting: Vec<_> = (0..WAITING).map(|number| Story::new(&format!("waiting {round} {number}"))).collect();
        for story in &waiting {
            story.begin(&ledger).await;
        }
        let asking = waiting.iter().map(|story| {
            let (ledger, story) = (Arc::clone(&ledger), story.clone());
            tokio::spawn(async move { begin_merge(&ledger, &story.merge_started(), 3).await.unwrap() })
        });
        let asking: Vec<_> = asking.collect();
        landing.goes_on(&ledger, &landing.promoted_with_window()).await.unwrap();
        for answer in join_all(asking).await {
            let refusal = refused(answer.unwrap());
            assert!(matches!(refusal.reason, Reason::MergeInFlight | Reason::HealthWindowOpen), "{refusal}");
        }
        landing.goes_on(&ledger, &landing.passed('c')).await.unwrap();
    }
}
