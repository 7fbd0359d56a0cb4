use std::sync::Arc;

use futures::future::join_all;
use selfext_domain::ports::{Ledger, LedgerError};

use crate::ledger::{LedgerFixture, Story, append, begin_merge};

pub async fn one_of_two_writers_of_a_run_wins<F: LedgerFixture>() {
    one_of_many_wins::<F>(2).await;
}

pub async fn one_of_eight_writers_of_a_run_wins<F: LedgerFixture>() {
    one_of_many_wins::<F>(8).await;
}

async fn one_of_many_wins<F: LedgerFixture>(writers: usize) {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    for sequence in 3..8 {
        let answers = join_all((0..writers).map(|_| {
            let (ledger, event) = (Arc::clone(&ledger), story.blocked());
            tokio::spawn(async move { append(&ledger, &event, sequence).await })
        }))
        .await;
        let mut winners = 0;
        for answer in answers {
            match answer.unwrap() {
                Ok(recorded) => {
                    assert_eq!(recorded.sequence, sequence);
                    winners += 1;
                }
                Err(LedgerError::Conflict { expected, actual, .. }) => {
                    assert_eq!((expected, actual), (sequence, sequence));
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(winners, 1);
        let events = ledger.stream_events(&story.run.clone().into()).await.unwrap();
        assert_eq!(events.len() as u64, sequence);
    }
}

pub async fn writers_that_decide_anew_all_get_in_without_gaps<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    join_all((0..8).map(|_| {
        let (ledger, event) = (Arc::clone(&ledger), story.blocked());
        tokio::spawn(async move {
            let mut next = 3;
            while let Err(error) = append(&ledger, &event, next).await {
                let LedgerError::Conflict { actual, .. } = error else { panic!("{error}") };
                next = actual + 1;
            }
        })
    }))
    .await
    .into_iter()
    .for_each(Result::unwrap);
    let events = ledger.stream_events(&story.run.into()).await.unwrap();
    assert!(events.iter().map(|event| event.sequence).eq(1..=10));
}

pub async fn the_same_append_at_once_is_recorded_once<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let event = story.blocked();
    let answers = join_all((0..8).map(|_| {
        let (ledger, event) = (Arc::clone(&ledger), event.clone());
        tokio::spawn(async move { append(&ledger, &event, 3).await.unwrap() })
    }))
    .await;
    let recorded: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    assert!(recorded.iter().all(|one| *one == recorded[0]));
    assert_eq!(ledger.stream_events(&story.run.into()).await.unwrap().len(), 3);
}

pub async fn one_of_sixteen_proposers_wins<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (here, _) = fixture.ports();
    let (elsewhere, _) = fixture.another().await;
    let story = Story::new("a subject");
    let answers = join_all((0..16).map(|number| {
        let ledger = Arc::clone(if number % 2 == 0 { &here } else { &elsewhere });
        let event = story.again(&format!("run {number}")).proposed();
        tokio::spawn(async move { ledger.propose(&event, None).await })
    }))
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().map(Result::unwrap).partition(Result::is_ok);
    let [Ok(winner)] = &won[..] else { panic!("{} runs began", won.len()) };
    for answer in lost {
        let Err(LedgerError::RunExists { run }) = answer else { panic!("{answer:?}") };
        assert_eq!(Some(&run), winner.event.stream.run());
    }
    assert_eq!(here.open_runs().await.unwrap().len(), 1);
    assert_eq!(fixture.rows().await.len(), 1);
}

pub async fn one_of_sixteen_merges_into_a_branch_begins<F: LedgerFixture>() {
    use selfext_domain::Reason;
    use selfext_domain::ports::MergeGrant;

    let fixture = F::start().await;
    let (here, _) = fixture.ports();
    let (elsewhere, _) = fixture.another().await;
    let stories: Vec<_> = (0..16).map(|number| Story::new(&format!("run {number}"))).collect();
    for story in &stories {
        story.begin(&here).await;
    }
    let answers = join_all(stories.iter().enumerate().map(|(number, story)| {
        let ledger: Arc<dyn Ledger> = Arc::clone(if number % 2 == 0 { &here } else { &elsewhere });
        let event = story.merge_started();
        tokio::spawn(async move { begin_merge(&ledger, &event, 3).await.unwrap() })
    }))
    .await;
    let mut permits = 0;
    for answer in answers {
        match answer.unwrap() {
            MergeGrant::Granted(..) => permits += 1,
            MergeGrant::Refused(refusal) => assert_eq!(refusal.reason, Reason::MergeInFlight),
        }
    }
    assert_eq!(permits, 1);
    assert_eq!(here.open_permits().await.unwrap().len(), 1);
}
