use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use selfext_domain::ports::{Follower, Ledger, LedgerError};
use selfext_domain::{EventId, Position, RecordedEvent, Tip};
use tokio::time::timeout;

use crate::control::pause_request;
use crate::ledger::{LedgerFixture, Story, append};

/// So rarely that no test sees it.
const NEVER: Duration = Duration::from_hours(1);

/// So often that a test can wait for it.
const OFTEN: Duration = Duration::from_millis(20);

/// Reads until so many events were given.
async fn given(follower: &mut Box<dyn Follower>, wanted: usize) -> Vec<RecordedEvent> {
    let reading = async {
        let mut seen = Vec::new();
        while seen.len() < wanted {
            let events = follower.next().await.unwrap();
            assert!(!events.is_empty(), "nothing failed, so there is something new");
            seen.extend(events);
        }
        seen
    };
    let seen = timeout(Duration::from_mins(1), reading).await.expect("the follower gives everything in the end");
    assert_eq!(seen.len(), wanted);
    assert!(seen.is_sorted_by(|one, next| one.position < next.position), "each once, and in order");
    seen
}

fn ids(events: &[RecordedEvent]) -> BTreeSet<EventId> {
    events.iter().map(|event| event.event.id).collect()
}

async fn propose(ledger: &Arc<dyn Ledger>, name: &str) -> RecordedEvent {
    ledger.propose(&Story::new(name).proposed(), None).await.unwrap()
}

pub async fn a_follower_gives_everything_once_and_in_order_while_others_write<F: LedgerFixture>() {
    const WRITERS: usize = 4;
    const RUNS: usize = 5;
    const STRANGERS: usize = 8;
    let fixture = F::start().await;
    let here = fixture.ledger_polling_every(NEVER);
    let (elsewhere, _) = fixture.another().await;
    let writers = (0..WRITERS).map(|writer| {
        let ledger = Arc::clone(if writer % 2 == 0 { &here } else { &elsewhere });
        tokio::spawn(async move {
            let mut ids = BTreeSet::new();
            for run in 0..RUNS {
                let story = Story::new(&format!("run {run} of writer {writer}"));
                story.begin(&ledger).await;
                let blocked = append(&ledger, &story.blocked(), 3).await.unwrap();
                ids.extend(self::ids(&ledger.stream_events(&blocked.event.stream).await.unwrap()));
            }
            ids
        })
    });
    let writers = tokio::spawn(join_all(writers.collect::<Vec<_>>()));
    let mut follower = here.follow(Position::START);
    let following = tokio::spawn(async move { given(&mut follower, WRITERS * RUNS * 3 + 2 * STRANGERS).await });

    let mut written = BTreeSet::new();
    for number in 0..STRANGERS {
        let held = Story::new(&format!("held {number}")).proposed();
        let commit = fixture.hold(&held).await;
        let name = format!("beside {number}");
        // Where writers mix, this one overtakes the one that is held.
        let beside = if F::WRITERS_MIX { Some(propose(&elsewhere, &name).await) } else { None };
        commit.await;
        let beside = match beside {
            Some(beside) => beside,
            None => propose(&elsewhere, &name).await,
        };
        written.extend([held.id, beside.event.id]);
    }
    written.extend(writers.await.unwrap().into_iter().flat_map(Result::unwrap));
    // Nobody tells of what strangers wrote. It was held back, or came before what somebody else wrote.
    assert_eq!(ids(&following.await.unwrap()), written);
}

pub async fn nothing_is_given_before_what_an_open_transaction_may_still_write<F: LedgerFixture>() {
    let fixture = F::start().await;
    let ledger = fixture.ledger_polling_every(NEVER);
    let (elsewhere, _) = fixture.another().await;
    let mut early = ledger.follow(Position::START);
    let before = propose(&ledger, "before").await;
    assert_eq!(given(&mut early, 1).await, std::slice::from_ref(&before));

    let held = Story::new("held").proposed();
    let commit = fixture.hold(&held).await;
    let mut others = tokio::spawn(async move {
        for number in 0..3 {
            propose(&elsewhere, &format!("run {number}")).await;
        }
    });
    if F::WRITERS_MIX {
        (&mut others).await.unwrap();
    }
    let mut late = ledger.follow(before.position);
    for follower in [&mut early, &mut late] {
        // A look takes one round trip, so it has looked several times by the end of these.
        let looks = async {
            for _ in 0..50 {
                assert!(ledger.read_after(before.position, 10).await.unwrap().is_empty());
            }
        };
        tokio::select! {
            events = follower.next() => panic!("given too early: {events:?}"),
            () = looks => {}
        }
    }
    commit.await;
    if !F::WRITERS_MIX {
        others.await.unwrap();
    }
    for follower in [&mut early, &mut late] {
        let seen = given(follower, 4).await;
        assert_eq!(seen[0].event, held);
    }
}

pub async fn a_write_of_anybody_wakes_a_follower_that_does_not_poll<F: LedgerFixture>() {
    let fixture = F::start().await;
    let here = fixture.ledger_polling_every(NEVER);
    let (elsewhere, control) = fixture.another().await;
    let mut follower = here.follow(Position::START);
    // The first may be found by looks that a follower takes when it begins; the others cannot.
    for number in 0..5 {
        for ledger in [&here, &elsewhere] {
            let story = Story::new(&format!("run {number} {}", Arc::ptr_eq(ledger, &here)));
            let proposed = ledger.propose(&story.proposed(), None).await.unwrap();
            assert_eq!(given(&mut follower, 1).await, [proposed]);
        }
    }
    let paused = control.pause(&pause_request("deploy")).await.unwrap();
    assert_eq!(given(&mut follower, 1).await, [paused.event]);
}

pub async fn what_nobody_tells_of_is_found_by_polling<F: LedgerFixture>() {
    let fixture = F::start().await;
    let mut follower = fixture.ledger_polling_every(OFTEN).follow(Position::START);
    for number in 0..5 {
        let event = Story::new(&format!("run {number}")).proposed();
        fixture.hold(&event).await.await;
        assert_eq!(given(&mut follower, 1).await[0].event, event);
    }
}

pub async fn a_call_that_is_dropped_loses_and_repeats_nothing<F: LedgerFixture>() {
    const RUNS: usize = 40;
    let fixture = F::start().await;
    let ledger = fixture.ledger_polling_every(NEVER);
    let (elsewhere, _) = fixture.another().await;
    let writer = tokio::spawn(async move {
        let mut written = Vec::new();
        for number in 0..RUNS {
            written.push(propose(&elsewhere, &format!("run {number}")).await);
        }
        written
    });
    let mut follower = ledger.follow(Position::START);
    let reading = async {
        let (mut seen, mut drops) = (Vec::new(), 0);
        while seen.len() < RUNS {
            // Dropped after so many round trips and turns of others, which differs each time.
            let dropped = async {
                for _ in 0..drops % 31 {
                    ledger.time().await.unwrap();
                }
                for _ in 0..drops % 7 {
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! {
                biased;
                events = follower.next() => seen.extend(events.unwrap()),
                () = dropped => drops += 1,
            }
        }
        seen
    };
    let seen = timeout(Duration::from_mins(1), reading).await.expect("the follower gives everything in the end");
    assert_eq!(seen, writer.await.unwrap());
}

pub async fn a_follower_goes_on_behind_the_position_where_another_one_stopped<F: LedgerFixture>() {
    let fixture = F::start().await;
    let ledger = fixture.ledger_polling_every(NEVER);
    let mut written = Vec::new();
    for number in 0..5 {
        written.push(propose(&ledger, &format!("run {number}")).await);
    }
    for (at, event) in written.iter().enumerate().take(4) {
        let position = Position::parse(&event.position.to_string()).unwrap();
        assert_eq!(given(&mut ledger.follow(position), 4 - at).await, written[at + 1..]);
    }
    let mut at_the_end = ledger.follow(written[4].position);
    let last = propose(&ledger, "the last").await;
    assert_eq!(given(&mut at_the_end, 1).await, [last]);
}

pub async fn more_than_a_batch_comes_in_batches<F: LedgerFixture>() {
    let fixture = F::start().await;
    let ledger = fixture.ledger_polling_every(NEVER);
    let story = Story::new("run 1");
    let mut written = vec![ledger.propose(&story.proposed(), None).await.unwrap()];
    while written.len() < 1_050 {
        let last = &written[written.len() - 1];
        let tip = Tip { sequence: last.sequence, hash: last.link.hash };
        written.push(ledger.append(&story.blocked(), tip).await.unwrap());
    }
    let mut follower = ledger.follow(Position::START);
    let first = follower.next().await.unwrap();
    assert!(first.len() < written.len(), "a batch is bounded");
    let rest = given(&mut follower, written.len() - first.len()).await;
    assert_eq!([first, rest].concat(), written);
}

pub async fn a_follower_whose_last_event_is_gone_does_not_go_on<F: LedgerFixture>() {
    let fixture = F::start().await;
    let ledger = fixture.ledger_polling_every(OFTEN);
    propose(&ledger, "run 1").await;
    let lost = propose(&ledger, "run 2").await;
    let mut follower = ledger.follow(Position::START);
    assert_eq!(given(&mut follower, 2).await[1], lost);
    // As a copy of the database that lacks its last commits.
    fixture.sql_past_triggers(&format!("DELETE FROM self_extension_events WHERE id = {}", lost.position.id)).await;
    propose(&ledger, "run 3").await;
    let mut anew = ledger.follow(lost.position);
    for follower in [&mut follower, &mut anew] {
        for _ in 0..2 {
            let answer = timeout(Duration::from_mins(1), follower.next()).await.expect("it is noticed");
            assert!(matches!(answer, Err(LedgerError::OtherHistory { .. })), "{answer:?}");
        }
    }
}
