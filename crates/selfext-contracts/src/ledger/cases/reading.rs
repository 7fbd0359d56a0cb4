use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use selfext_domain::ports::Ledger;
use selfext_domain::{EventId, Position, RecordedEvent};
use serde_json::Value;

use crate::ledger::{LedgerFixture, Story, append, begin_merge};

pub async fn open_runs_are_those_without_an_end<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let stories: Vec<_> = (0..8).map(|number| Story::new(&format!("run {number}"))).collect();
    for story in &stories {
        ledger.propose(&story.proposed(), None).await.unwrap();
    }
    append(&ledger, &stories[1].tested(), 2).await.unwrap();
    append(&ledger, &stories[2].blocked(), 2).await.unwrap();
    append(&ledger, &stories[3].failed(), 2).await.unwrap();
    append(&ledger, &stories[4].abandoned(), 2).await.unwrap();
    append(&ledger, &stories[5].tested(), 2).await.unwrap();
    let _ = begin_merge(&ledger, &stories[5].merge_started(), 3).await.unwrap();
    append(&ledger, &stories[6].tested(), 2).await.unwrap();
    let open: Vec<_> = [0, 1, 2, 5, 6, 7].map(|number| stories[number].run.clone()).into();
    assert_eq!(ledger.open_runs().await.unwrap(), open);

    append(&ledger, &stories[5].promoted(), 4).await.unwrap();
    assert!(!ledger.open_runs().await.unwrap().contains(&stories[5].run));
}

pub async fn followers_read_everything_in_pages<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let mut written = Vec::new();
    for number in 0..5 {
        let story = Story::new(&format!("run {number}"));
        written.push(ledger.propose(&story.proposed(), None).await.unwrap());
        written.push(append(&ledger, &story.tested(), 2).await.unwrap());
    }
    assert!(written.is_sorted_by_key(|event| event.position));
    for page in [1, 3, 10, 1_000] {
        assert_eq!(follow(&ledger, page, written.len()).await, written);
    }
    let end = written.last().unwrap().position;
    assert!(ledger.read_after(end, 10).await.unwrap().is_empty());
    assert!(ledger.read_after(Position::START, 0).await.unwrap().is_empty());
}

pub async fn a_follower_misses_nothing_while_others_write<F: LedgerFixture>() {
    const WRITERS: usize = 8;
    const RUNS: usize = 6;
    let fixture = F::start().await;
    let (here, _) = fixture.ports();
    let (elsewhere, _) = fixture.another().await;
    let writers = (0..WRITERS).map(|writer| {
        let ledger = Arc::clone(if writer % 2 == 0 { &here } else { &elsewhere });
        tokio::spawn(async move {
            let mut ids = Vec::new();
            for run in 0..RUNS {
                let story = Story::new(&format!("run {run} of writer {writer}"));
                for (at, event) in [story.proposed(), story.tested(), story.blocked()].into_iter().enumerate() {
                    if at == 0 {
                        ledger.propose(&event, None).await.unwrap();
                    } else {
                        append(&ledger, &event, at as u64 + 1).await.unwrap();
                    }
                    ids.push(event.id);
                }
            }
            ids
        })
    });
    let writers = tokio::spawn(join_all(writers.collect::<Vec<_>>()));
    let seen = follow(&here, 7, WRITERS * RUNS * 3).await;
    let written: BTreeSet<EventId> = writers.await.unwrap().into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(seen.iter().map(|event| event.event.id).collect::<BTreeSet<_>>(), written);
    assert_eq!(seen.len(), written.len());
    assert!(seen.is_sorted_by(|one, next| one.position < next.position));
}

/// Follows the ledger from its start until so many events were seen.
pub(super) async fn follow(ledger: &Arc<dyn Ledger>, page: u32, wanted: usize) -> Vec<RecordedEvent> {
    let following = async {
        let mut seen: Vec<RecordedEvent> = Vec::new();
        let mut look_again = tokio::time::interval(Duration::from_millis(5));
        while seen.len() < wanted {
            let position = seen.last().map_or(Position::START, |event| event.position);
            let more = ledger.read_after(position, page).await.unwrap();
            assert!(more.len() <= page as usize);
            if more.is_empty() {
                look_again.tick().await;
            }
            seen.extend(more);
        }
        seen
    };
    tokio::time::timeout(Duration::from_mins(1), following).await.expect("the follower sees everything in the end")
}

pub async fn what_queries_read_is_what_the_content_says<F: LedgerFixture>() {
    const DERIVED: [&str; 15] = [
        "event_id",
        "run_id",
        "correlation_id",
        "stage",
        "event_type",
        "actor_source",
        "tool_name",
        "tool_call_id",
        "goal_id",
        "cycle_id",
        "sub_goal_id",
        "repository",
        "base",
        "fingerprint",
        "pull_request",
    ];
    let fixture = F::start().await;
    let (ledger, control) = fixture.ports();
    let story = Story::new("run ␛ 1");
    let _ = story.begin_merging(&ledger).await;
    append(&ledger, &story.abandoned_because("\0 and ␛"), 4).await.unwrap();
    control.pause(&crate::control::pause_request("why \0 not")).await.unwrap();

    let rows = fixture.rows().await;
    assert_eq!(rows.len(), 5);
    for row in rows {
        let content: Value = serde_json::from_str(row["content"].as_str().unwrap()).unwrap();
        for column in DERIVED {
            assert_eq!(row[column], content[column], "{column}");
        }
        assert_eq!(row["payload"], content["payload"]);
        assert!(row["payload"].is_object());
    }
}
