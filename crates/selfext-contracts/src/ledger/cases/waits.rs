use std::sync::Arc;
use std::time::Duration;

use selfext_domain::ports::{Ledger, Queries, Wait};

use crate::ledger::{LedgerFixture, Story};

const HOUR: Duration = Duration::from_hours(1);

async fn waits(queries: &Arc<dyn Queries>) -> Vec<Wait> {
    queries.overview(10).await.unwrap().waits
}

/// Who waits, by run and holder.
async fn waiting(queries: &Arc<dyn Queries>) -> Vec<(String, String)> {
    waits(queries).await.into_iter().map(|wait| (wait.run.to_string(), wait.holder)).collect()
}

fn of(run: &str, holder: &str) -> (String, String) {
    (run.to_owned(), holder.to_owned())
}

/// Waits until the database's clock goes on.
async fn a_moment(ledger: &Arc<dyn Ledger>) {
    let begun = ledger.time().await.unwrap();
    while ledger.time().await.unwrap() <= begun {
        tokio::task::yield_now().await;
    }
}

pub async fn a_wait_is_seen_until_it_ends<F: LedgerFixture>() {
    let fixture = F::start().await;
    let ((ledger, _), queries) = (fixture.ports(), fixture.queries());
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    assert_eq!(waits(&queries).await, []);
    let before = ledger.time().await.unwrap();
    fixture.waits().begin(&story.run, "host:1", "checks", HOUR).await.unwrap();
    let after = ledger.time().await.unwrap();
    let seen = waits(&queries).await.pop().unwrap();
    assert!(before <= seen.since && seen.since <= after, "{before} {seen:?} {after}");
    assert!(before + HOUR <= seen.until && seen.until <= after + HOUR, "{before} {seen:?} {after}");
    assert_eq!((&seen.run, &*seen.holder, &*seen.what), (&story.run, "host:1", "checks"));
    for _ in 0..2 {
        fixture.waits().end(&story.run, "host:1").await.unwrap();
        assert_eq!(waits(&queries).await, []);
    }
}

pub async fn a_wait_ends_by_the_databases_clock<F: LedgerFixture>() {
    let fixture = F::start().await;
    let ((ledger, _), queries) = (fixture.ports(), fixture.queries());
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let time = Duration::from_millis(200);
    let before = ledger.time().await.unwrap();
    fixture.waits().begin(&story.run, "host:1", "checks", time).await.unwrap();
    while !waits(&queries).await.is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(ledger.time().await.unwrap() >= before + time);
    fixture.waits().begin(&story.run, "host:1", "checks", Duration::ZERO).await.unwrap();
    a_moment(&ledger).await;
    assert_eq!(waits(&queries).await, []);
    fixture.waits().begin(&story.run, "host:1", "checks", Duration::MAX).await.unwrap();
    assert_eq!(waiting(&queries).await, [of("run 1", "host:1")]);
}

pub async fn the_same_wait_that_goes_on_keeps_its_beginning<F: LedgerFixture>() {
    let fixture = F::start().await;
    let ((ledger, _), queries) = (fixture.ports(), fixture.queries());
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let mut seen = Vec::new();
    for (what, time) in [("checks", HOUR), ("checks", 2 * HOUR), ("reviews", HOUR)] {
        fixture.waits().begin(&story.run, "host:1", what, time).await.unwrap();
        let [wait] = &waits(&queries).await[..] else { panic!("one takes the place of the other") };
        assert_eq!(wait.what, what);
        seen.push(wait.clone());
        a_moment(&ledger).await;
    }
    assert_eq!(seen[0].since, seen[1].since);
    assert!(seen[0].until < seen[1].until, "{seen:?}");
    assert!(seen[1].since < seen[2].since, "{seen:?}");
    // One that was over begins anew.
    fixture.waits().begin(&story.run, "host:1", "reviews", Duration::ZERO).await.unwrap();
    a_moment(&ledger).await;
    fixture.waits().begin(&story.run, "host:1", "reviews", HOUR).await.unwrap();
    assert!(waits(&queries).await[0].since > seen[2].since);
}

pub async fn waits_of_other_holders_and_runs_stay<F: LedgerFixture>() {
    let fixture = F::start().await;
    let ((ledger, _), queries) = (fixture.ports(), fixture.queries());
    let (story, other) = (Story::new("run 1"), Story::new("run 0").into_base("develop"));
    story.begin(&ledger).await;
    other.begin(&ledger).await;
    let port = fixture.waits();
    for (run, holder) in [(&story.run, "host:1"), (&story.run, "host:2"), (&other.run, "host:1")] {
        port.begin(run, holder, "checks", HOUR).await.unwrap();
        a_moment(&ledger).await;
    }
    let all = [of("run 1", "host:1"), of("run 1", "host:2"), of("run 0", "host:1")];
    assert_eq!(waiting(&queries).await, all, "the oldest first");
    port.end(&story.run, "host:1").await.unwrap();
    assert_eq!(waiting(&queries).await, all[1..]);
    port.end(&other.run, "host:2").await.unwrap();
    assert_eq!(waiting(&queries).await, all[1..]);
}

/// Whatever its process said last: it may have been killed.
pub async fn a_run_that_may_merge_or_is_over_does_not_wait<F: LedgerFixture>() {
    let fixture = F::start().await;
    let ((ledger, _), queries) = (fixture.ports(), fixture.queries());
    let (story, unknown) = (Story::new("run 1"), Story::new("run 2"));
    let wait = async |story: &Story| fixture.waits().begin(&story.run, "host:1", "checks", HOUR).await.unwrap();
    wait(&story).await;
    wait(&unknown).await;
    assert_eq!(waits(&queries).await, []);
    let _ = story.begin_merging(&ledger).await;
    assert_eq!(waits(&queries).await, [], "it may merge at any moment");
    story.goes_on(&ledger, &story.blocked()).await.unwrap();
    assert_eq!(waiting(&queries).await, [of("run 1", "host:1")]);
    story.goes_on(&ledger, &story.abandoned()).await.unwrap();
    assert_eq!(waits(&queries).await, []);
}

pub async fn waits_that_are_long_over_are_forgotten<F: LedgerFixture>() {
    let fixture = F::start().await;
    let ((ledger, _), port) = (fixture.ports(), fixture.waits());
    let (story, other) = (Story::new("run 1"), Story::new("run 2"));
    for (run, holder) in [(&story.run, "host:1"), (&story.run, "host:2"), (&other.run, "host:1")] {
        port.begin(run, holder, "checks", Duration::ZERO).await.unwrap();
    }
    a_moment(&ledger).await;
    port.begin(&story.run, "host:1", "checks", HOUR).await.unwrap();
    let left = async |run: &str| {
        fixture.sql(&format!("UPDATE self_extension_waits SET what = what WHERE run_id = '{run}'")).await.unwrap()
    };
    assert_eq!((left("run 1").await, left("run 2").await), (1, 1), "of the same run at once, of others later");
    fixture
        .sql("UPDATE self_extension_waits SET until = '2001-01-01T00:00:00.000Z' WHERE run_id = 'run 2'")
        .await
        .unwrap();
    port.begin(&story.run, "host:1", "checks", HOUR).await.unwrap();
    assert_eq!((left("run 1").await, left("run 2").await), (1, 0));
}

pub async fn any_text_of_a_wait_survives<F: LedgerFixture>() {
    let fixture = F::start().await;
    let ((ledger, _), queries) = (fixture.ports(), fixture.queries());
    let story = Story::new("run ␛0 '; -- 🦀");
    story.begin(&ledger).await;
    let long = "x".repeat(100_000);
    for text in ["", "a\0b", "␛", "␛0", "␛␛\0", "\"\\\n\u{7f}", "🦀 e\u{301}", "\u{feff}\u{200b}", "'; --", &long]
    {
        let holder = format!("host {}", text.chars().take(100).collect::<String>());
        fixture.waits().begin(&story.run, &holder, text, HOUR).await.unwrap();
        let seen = waits(&queries).await.pop().unwrap();
        assert_eq!((&seen.run, seen.holder, seen.what), (&story.run, holder.clone(), text.to_owned()));
        fixture.waits().end(&story.run, &holder).await.unwrap();
        assert_eq!(waits(&queries).await, []);
    }
}
