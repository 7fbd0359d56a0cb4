//! What people are told of a promotion that waits.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use selfext_domain::ports::{Clock, Forge, LedgerError, MockForge, MockWaits, RestListener, Rests, Survey, Waits};
use selfext_domain::*;
use selfext_pipeline::{Ending, Outcome, Pipeline, Silent};

use crate::ledger::time;
use crate::world::*;

/// A clock whose pauses are over after others had their turn.
#[derive(Default)]
struct Pauses {
    count: AtomicU32,
}

#[async_trait::async_trait]
impl Clock for Pauses {
    fn now(&self) -> DateTime<Utc> {
        time()
    }

    async fn sleep(&self, _: Duration) {
        self.count.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
    }
}

/// Remembers what was told, and may fail.
#[derive(Default)]
struct Told {
    words: Mutex<Vec<String>>,
    fails: bool,
}

impl Told {
    fn tell(&self, word: String) -> Result<(), LedgerError> {
        self.words.lock().unwrap().push(word);
        if self.fails { Err(LedgerError::unavailable("gone")) } else { Ok(()) }
    }

    fn words(&self) -> Vec<String> {
        self.words.lock().unwrap().clone()
    }
}

#[async_trait::async_trait]
impl Waits for Told {
    async fn begin(&self, _: &RunId, holder: &str, what: &str, time: Duration) -> Result<(), LedgerError> {
        self.tell(format!("{holder} waits for {what}, {} s", time.as_secs()))
    }

    async fn end(&self, _: &RunId, holder: &str) -> Result<(), LedgerError> {
        self.tell(format!("{holder} waits no more"))
    }
}

/// A forge that is the same for whoever listens to it; what it does at each look is up to the test.
struct Resting<F>(F);

impl<F: Fn(Arc<dyn RestListener>) -> MockForge + Send + Sync> Rests for Resting<F> {
    fn heard_by(&self, listener: Arc<dyn RestListener>) -> Arc<dyn Forge> {
        Arc::new((self.0)(listener))
    }
}

const CHECKS: &str = "test:1 waits for checks (ci is pending), 60 s";
const LIMIT: &str = "test:1 waits for the limit, 9 s";
const OVER: &str = "test:1 waits no more";

/// The check is green from this look on.
fn look(number: u32, green_at: u32) -> Survey {
    let state = if number < green_at { StatusState::Pending } else { StatusState::Success };
    survey(GateReading {
        statuses: vec![CommitStatus { id: 1, context: "ci".into(), creator: None, state }],
        check_runs: vec![],
    })
}

/// A world whose check is green at a look, the first being 1, where something happens before each.
fn green_at(green: u32, before: impl Fn(u32) + Send + 'static) -> World {
    let mut world = World::publishing();
    let looks = AtomicU32::new(0);
    world.forge.expect_survey().times(green as usize).returning(move |_, _, _, _| {
        let number = looks.fetch_add(1, Ordering::Relaxed) + 1;
        before(number);
        Ok(look(number, green))
    });
    world.merging()
}

async fn promoted(pipeline: Pipeline) -> Outcome {
    let outcome = pipeline.promote(&change(), None, &Silent).await.unwrap();
    assert!(matches!(outcome.ending, Ending::Promoted { .. }), "{outcome:?}");
    outcome
}

#[tokio::test]
async fn a_wait_is_told_once_when_it_begins_and_once_when_it_is_over() {
    let told = Arc::new(Told::default());
    promoted(green_at(3, |_| ()).pipeline_by(Arc::new(Pauses::default())).telling(told.clone())).await;
    assert_eq!(told.words(), [CHECKS, OVER]);
}

#[tokio::test]
async fn a_wait_that_cannot_be_told_goes_on_as_it_would() {
    let told = Arc::new(Told { fails: true, ..Told::default() });
    promoted(green_at(3, |_| ()).pipeline_by(Arc::new(Pauses::default())).telling(told.clone())).await;
    assert_eq!(told.words(), [CHECKS, OVER], "it is not tried again");
}

/// A database that does not answer.
struct Mute;

#[async_trait::async_trait]
impl Waits for Mute {
    async fn begin(&self, _: &RunId, _: &str, _: &str, _: Duration) -> Result<(), LedgerError> {
        std::future::pending().await
    }
    async fn end(&self, _: &RunId, _: &str) -> Result<(), LedgerError> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_wait_takes_no_longer_for_being_told() {
    let clock = Arc::new(Pauses::default());
    promoted(green_at(3, |_| ()).pipeline_by(clock.clone()).telling(Arc::new(Mute))).await;
    assert_eq!(clock.count.load(Ordering::Relaxed), 3, "two pauses, and one for the last word");
}

#[tokio::test]
async fn a_promotion_that_never_waits_tells_nothing() {
    let clock = Arc::new(Pauses::default());
    promoted(green_at(1, |_| ()).pipeline_by(clock.clone()).telling(Arc::new(MockWaits::new()))).await;
    assert_eq!(clock.count.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_rest_of_the_forges_is_told_until_its_end_and_then_what_else_is_waited_for() {
    let told = Arc::new(Told::default());
    let forge = |listener: Arc<dyn RestListener>| {
        green_at(5, move |look| match look {
            // Two requests rest, and the second one for no longer than the first.
            2 => (0..2).for_each(|_| listener.begin("the limit", Duration::from_secs(9))),
            3 | 4 => listener.end(),
            _ => {}
        })
        .forge
    };
    // What is not asked through the forge that is heard is not asked.
    let mut world = World::publishing();
    world.forge = MockForge::new();
    let pipeline = world.pipeline_by(Arc::new(Pauses::default())).telling(told.clone());
    promoted(pipeline.resting_by(Arc::new(Resting(forge)))).await;
    assert_eq!(told.words(), [CHECKS, LIMIT, CHECKS, OVER]);
}

#[tokio::test]
async fn a_rest_that_takes_longer_than_was_said_is_told_again() {
    let told = Arc::new(Told::default());
    let forge = |listener: Arc<dyn RestListener>| {
        green_at(4, move |look| match look {
            1 => listener.begin("the limit", Duration::from_secs(9)),
            2 => {
                listener.begin("the limit", Duration::from_secs(30));
                listener.end();
            }
            3 => listener.end(),
            _ => {}
        })
        .forge
    };
    let pipeline = World::publishing().pipeline_by(Arc::new(Pauses::default())).telling(told.clone());
    promoted(pipeline.resting_by(Arc::new(Resting(forge)))).await;
    assert_eq!(told.words(), [LIMIT, "test:1 waits for the limit, 30 s", CHECKS, OVER]);
}

#[tokio::test]
async fn a_rest_that_nobody_looks_at_changes_nothing() {
    let forge =
        |listener: Arc<dyn RestListener>| green_at(1, move |_| listener.begin("the limit", Duration::MAX)).forge;
    let clock = Arc::new(Pauses::default());
    let pipeline = World::publishing().pipeline_by(clock.clone());
    promoted(pipeline.resting_by(Arc::new(Resting(forge)))).await;
    assert_eq!(clock.count.load(Ordering::Relaxed), 0);
}
