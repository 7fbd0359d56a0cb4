use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use selfext_domain::ports::{Heartbeats, Ledger};
use selfext_domain::{HealthSample, Heartbeat, Reporter};

use crate::ledger::{LedgerFixture, Story, commit_of};

fn heartbeat(story: &Story, digit: char) -> Heartbeat {
    Heartbeat {
        repository: story.subject.repository.clone(),
        base: story.subject.base.clone(),
        commit: commit_of(digit),
        healthy: true,
        reporter: Reporter::parse("host 1").unwrap(),
        detail: None,
    }
}

async fn samples(heartbeats: &Arc<dyn Heartbeats>, story: &Story, since: DateTime<Utc>) -> Vec<HealthSample> {
    heartbeats.samples(&story.subject.repository, &story.subject.base, since).await.unwrap()
}

/// Waits until the database's clock is past a time.
async fn past(ledger: &Arc<dyn Ledger>, time: DateTime<Utc>) {
    while ledger.time().await.unwrap() <= time {
        tokio::task::yield_now().await;
    }
}

pub async fn a_heartbeat_reads_back_with_the_databases_time<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let heartbeats = fixture.heartbeats();
    let story = Story::new("run 1");
    assert_eq!(samples(&heartbeats, &story, DateTime::UNIX_EPOCH).await, []);
    let before = ledger.time().await.unwrap();
    let well = heartbeat(&story, 'a');
    let sick = Heartbeat { healthy: false, detail: Some("it hangs".to_owned()), ..heartbeat(&story, 'b') };
    let first = heartbeats.record(&well).await.unwrap();
    let second = heartbeats.record(&sick).await.unwrap();
    let after = ledger.time().await.unwrap();
    assert!(before <= first && first <= second && second <= after, "{before} {first} {second} {after}");
    let sample = |at, of: Heartbeat| HealthSample {
        at,
        commit: of.commit,
        healthy: of.healthy,
        reporter: of.reporter,
        detail: of.detail,
    };
    assert_eq!(
        samples(&heartbeats, &story, DateTime::UNIX_EPOCH).await,
        [sample(first, well.clone()), sample(second, sick)]
    );
    // A repetition is another one.
    let third = heartbeats.record(&well).await.unwrap();
    assert_eq!(samples(&heartbeats, &story, third).await.last(), Some(&sample(third, well)));
}

pub async fn samples_come_in_the_order_of_their_times_from_a_time_on<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let heartbeats = fixture.heartbeats();
    let story = Story::new("run 1");
    let mut times = Vec::new();
    for digit in ['1', '2', '3', '4'] {
        let at = heartbeats.record(&heartbeat(&story, digit)).await.unwrap();
        past(&ledger, at).await;
        times.push(at);
    }
    let all = samples(&heartbeats, &story, DateTime::<Utc>::MIN_UTC).await;
    assert_eq!(all.iter().map(|sample| sample.at).collect::<Vec<_>>(), times);
    assert_eq!(all.iter().map(|sample| sample.commit.clone()).collect::<Vec<_>>(), ['1', '2', '3', '4'].map(commit_of));
    assert_eq!(samples(&heartbeats, &story, times[2]).await, all[2..], "from its own time on");
    assert_eq!(samples(&heartbeats, &story, times[2] + TimeDelta::nanoseconds(1)).await, all[3..]);
    assert_eq!(samples(&heartbeats, &story, DateTime::<Utc>::MAX_UTC).await, []);
}

pub async fn agents_are_told_apart_by_repository_and_base<F: LedgerFixture>() {
    let fixture = F::start().await;
    let heartbeats = fixture.heartbeats();
    let stories = [
        Story::new("1"),
        Story::new("2").into_base("develop"),
        Story::new("3").in_repository("acme/other"),
        Story::new("4").into_base("a␛b"),
    ];
    for (story, digit) in stories.iter().zip('1'..) {
        heartbeats.record(&heartbeat(story, digit)).await.unwrap();
    }
    for (story, digit) in stories.iter().zip('1'..) {
        let found = samples(&heartbeats, story, DateTime::UNIX_EPOCH).await;
        assert_eq!(found.iter().map(|sample| sample.commit.clone()).collect::<Vec<_>>(), [commit_of(digit)]);
    }
}

pub async fn any_detail_survives<F: LedgerFixture>() {
    let fixture = F::start().await;
    let heartbeats = fixture.heartbeats();
    let story = Story::new("run 1");
    let long = "x".repeat(100_000);
    let details = ["", "a\0b", "␛", "␛0", "␛␛\0", "\"\\\n\u{7f}", "🦀 e\u{301}", "\u{feff}\u{200b}", "'; --", &long];
    for detail in details {
        let reporter = Reporter::parse("höst ␛ 🦀 ␛0").unwrap();
        let said = Heartbeat { detail: Some(detail.to_owned()), reporter, ..heartbeat(&story, 'a') };
        let at = heartbeats.record(&said).await.unwrap();
        let found = samples(&heartbeats, &story, at).await.pop().unwrap();
        assert_eq!((found.detail, found.reporter), (said.detail, said.reporter));
    }
}

pub async fn old_heartbeats_are_forgotten_and_young_ones_kept<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let heartbeats = fixture.heartbeats();
    let (story, other) = (Story::new("run 1"), Story::new("run 2").into_base("develop"));
    let mut last = DateTime::UNIX_EPOCH;
    for _ in 0..3 {
        heartbeats.record(&heartbeat(&other, 'b')).await.unwrap();
        last = heartbeats.record(&heartbeat(&story, 'a')).await.unwrap();
    }
    let forget = async |keep| heartbeats.forget(&story.subject.repository, &story.subject.base, keep).await.unwrap();
    assert_eq!(forget(Duration::from_hours(1)).await, 0);
    assert_eq!(forget(Duration::MAX).await, 0);
    past(&ledger, last).await;
    assert_eq!(forget(Duration::ZERO).await, 3);
    assert_eq!(forget(Duration::ZERO).await, 0);
    assert_eq!(samples(&heartbeats, &story, DateTime::UNIX_EPOCH).await, []);
    assert_eq!(samples(&heartbeats, &other, DateTime::UNIX_EPOCH).await.len(), 3);
}

pub async fn what_an_open_window_needs_is_not_forgotten<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let heartbeats = fixture.heartbeats();
    let story = Story::new("run 1");
    let before = heartbeats.record(&heartbeat(&story, 'a')).await.unwrap();
    past(&ledger, before).await;
    story.land(&ledger, true).await;
    // A window elsewhere needs nothing of this agent.
    let elsewhere = Story::new("run 2").into_base("develop");
    elsewhere.land(&ledger, true).await;
    let mut last = before;
    for _ in 0..3 {
        last = heartbeats.record(&heartbeat(&story, 'c')).await.unwrap();
    }
    past(&ledger, last).await;
    let forget =
        async || heartbeats.forget(&story.subject.repository, &story.subject.base, Duration::ZERO).await.unwrap();
    assert_eq!(forget().await, 1, "what came before the window");
    assert_eq!(forget().await, 0);
    assert_eq!(samples(&heartbeats, &story, before).await.len(), 3);
    story.goes_on(&ledger, &story.passed('c')).await.unwrap();
    assert_eq!(forget().await, 3);
}

/// A window opens with `promoted`, which may be on its way while others forget.
pub async fn what_a_window_needs_that_opens_next_is_not_forgotten<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let heartbeats = fixture.heartbeats();
    let story = Story::new("run 1");
    let _ = story.begin_merging(&ledger).await;
    let last = heartbeats.record(&heartbeat(&story, 'c')).await.unwrap();
    past(&ledger, last).await;
    let forget =
        async || heartbeats.forget(&story.subject.repository, &story.subject.base, Duration::ZERO).await.unwrap();
    assert_eq!(forget().await, 0);
    story.goes_on(&ledger, &story.blocked()).await.unwrap();
    assert_eq!(forget().await, 1);
}
