use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures::future::join_all;
use selfext_domain::ports::{Ledger, MergeGrant};
use selfext_domain::{CONTROL_KEY, ControlState, EventBody, StreamId};
use serde_json::Value;

use crate::control::{pause_request, resume_request};
use crate::ledger::{LedgerFixture, Story, append, begin_merge};

pub async fn two_first_pauses_at_once_both_succeed<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (_, here) = fixture.ports();
    let (_, elsewhere) = fixture.another().await;
    fixture.set_state(CONTROL_KEY, None).await;
    let (one, other) = (pause_request("one"), pause_request("other"));
    let (first, second) = tokio::join!(here.pause(&one), elsewhere.pause(&other));
    let numbers = BTreeSet::from([first.unwrap().event.sequence, second.unwrap().event.sequence]);
    assert_eq!(numbers, BTreeSet::from([1, 2]));
    assert!(matches!(here.read().await, Ok(ControlState::Paused(_))));
}

pub async fn sixteen_pausers_number_the_stream_without_gaps<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, here) = fixture.ports();
    let (_, elsewhere) = fixture.another().await;
    let answers = join_all((0..16).map(|number| {
        let control = Arc::clone(if number % 2 == 0 { &here } else { &elsewhere });
        tokio::spawn(async move {
            let paused = control.pause(&pause_request("deploy")).await.unwrap().event.sequence;
            let resumed = control.resume(&resume_request()).await.unwrap().event.sequence;
            [paused, resumed]
        })
    }))
    .await;
    let numbers: BTreeSet<u64> = answers.into_iter().flat_map(Result::unwrap).collect();
    assert!(numbers.into_iter().eq(1..=32));
    let events = ledger.stream_events(&StreamId::Control).await.unwrap();
    assert!(events.iter().map(|event| event.sequence).eq(1..=32));
}

pub async fn the_same_pause_at_once_is_recorded_once<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, here) = fixture.ports();
    let (_, elsewhere) = fixture.another().await;
    let request = pause_request("deploy");
    let answers = join_all((0..8).map(|number| {
        let (control, request) = (Arc::clone(if number % 2 == 0 { &here } else { &elsewhere }), request.clone());
        tokio::spawn(async move { control.pause(&request).await.unwrap() })
    }))
    .await;
    let events: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().event).collect();
    assert!(events.iter().all(|event| *event == events[0]));
    assert_eq!(ledger.stream_events(&StreamId::Control).await.unwrap().len(), 1);
}

pub async fn no_merge_begins_between_a_pause_and_the_next_resume<F: LedgerFixture>() {
    const MERGERS: usize = 6;
    const PAUSES: usize = 25;
    let fixture = F::start().await;
    let (here, control) = fixture.ports();
    let (elsewhere, other_control) = fixture.another().await;
    let over = Arc::new(AtomicBool::new(false));
    let granted = Arc::new(AtomicUsize::new(0));
    let mergers: Vec<_> = (0..MERGERS)
        .map(|number| {
            let ledger = Arc::clone(if number % 2 == 0 { &here } else { &elsewhere });
            let (over, granted) = (Arc::clone(&over), Arc::clone(&granted));
            tokio::spawn(async move {
                let story = Story::new(&format!("run {number}")).into_base(&format!("base-{number}"));
                merge_until(&ledger, &story, &over, &granted).await;
            })
        })
        .collect();
    for _ in 0..PAUSES {
        let before = granted.load(Ordering::Relaxed);
        let paused = control.pause(&pause_request("deploy")).await.unwrap();
        assert!(paused.in_flight.len() <= MERGERS);
        other_control.resume(&resume_request()).await.unwrap();
        // Let some through, so that the next pause has something to race.
        while granted.load(Ordering::Relaxed) == before {
            tokio::task::yield_now().await;
        }
    }
    over.store(true, Ordering::Relaxed);
    join_all(mergers).await.into_iter().for_each(Result::unwrap);

    // Both sides take their ids under the control's lock, so the ids tell who came first.
    let (mut paused, mut merges, mut changes) = (false, 0, 0);
    for row in fixture.rows().await {
        let content: Value = serde_json::from_str(row["content"].as_str().unwrap()).unwrap();
        match content["event_type"].as_str().unwrap() {
            "promotion_pause_changed" => {
                paused = content["payload"]["paused"].as_bool().unwrap();
                changes += 1;
            }
            "merge_started" => {
                assert!(!paused, "{} began in a pause", content["run_id"]);
                merges += 1;
            }
            _ => {}
        }
    }
    assert_eq!(changes, 2 * PAUSES);
    assert!(merges >= PAUSES);
}

/// Begins and ends merges of one run until it is told to stop.
async fn merge_until(ledger: &Arc<dyn Ledger>, story: &Story, over: &AtomicBool, granted: &AtomicUsize) {
    story.begin(ledger).await;
    let mut next = 3;
    while !over.load(Ordering::Relaxed) {
        if let MergeGrant::Granted(..) = begin_merge(ledger, &story.merge_started(), next).await.unwrap() {
            granted.fetch_add(1, Ordering::Relaxed);
            append(ledger, &story.blocked(), next + 1).await.unwrap();
            next += 2;
        }
    }
}

pub async fn after_nothing_in_flight_no_merge_begins_until_resume<F: LedgerFixture>() {
    const MERGERS: usize = 4;
    let fixture = F::start().await;
    let (ledger, control) = fixture.ports();
    let (elsewhere, _) = fixture.another().await;
    for round in 0..10 {
        let mergers: Vec<_> = (0..MERGERS)
            .map(|number| {
                let ledger = Arc::clone(if number % 2 == 0 { &ledger } else { &elsewhere });
                tokio::spawn(async move {
                    let name = format!("run {number} of round {round}");
                    let story = Story::new(&name).into_base(&format!("base-{number}-{round}"));
                    story.begin(&ledger).await;
                    let grant = begin_merge(&ledger, &story.merge_started(), 3).await.unwrap();
                    (story, matches!(grant, MergeGrant::Granted(..)))
                })
            })
            .collect();
        let answer = control.pause(&pause_request("deploy")).await.unwrap();
        let told: BTreeSet<_> = answer.in_flight.into_iter().map(|terms| terms.run).collect();
        for merger in mergers {
            let (story, merges) = merger.await.unwrap();
            assert_eq!(merges, told.contains(&story.run), "the pause told of exactly those that merge");
            if merges {
                append(&ledger, &story.promoted(), 4).await.unwrap();
            }
        }
        assert!(ledger.open_permits().await.unwrap().is_empty());
        control.resume(&resume_request()).await.unwrap();
    }
    let events = ledger.stream_events(&StreamId::Control).await.unwrap();
    assert!(events.iter().all(|event| matches!(event.event.body, EventBody::PromotionPauseChanged(_))));
}
