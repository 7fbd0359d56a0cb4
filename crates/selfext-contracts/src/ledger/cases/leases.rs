use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use selfext_domain::ports::{Lease, Leases};

use crate::ledger::LedgerFixture;

const HOUR: Duration = Duration::from_hours(1);

fn holder(lease: &Lease) -> Option<&str> {
    match lease {
        Lease::Held { .. } => None,
        Lease::Elsewhere { holder, .. } => Some(holder),
    }
}

async fn is_held(leases: &Arc<dyn Leases>, name: &str, holder: &str, time: Duration) -> bool {
    matches!(leases.acquire(name, holder, time).await.unwrap(), Lease::Held { .. })
}

pub async fn a_lease_is_taken_renewed_and_refused_to_others<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let leases = fixture.leases();
    let before = ledger.time().await.unwrap();
    let Lease::Held { until: first } = leases.acquire("watch", "one", HOUR).await.unwrap() else {
        panic!("it is free")
    };
    let after = ledger.time().await.unwrap();
    assert!(before + HOUR <= first && first <= after + HOUR, "{before} {first} {after}");
    let elsewhere = leases.acquire("watch", "two", HOUR).await.unwrap();
    assert_eq!(elsewhere, Lease::Elsewhere { holder: "one".to_owned(), until: first });
    while ledger.time().await.unwrap() <= after {
        tokio::task::yield_now().await;
    }
    let Lease::Held { until: renewed } = leases.acquire("watch", "one", HOUR).await.unwrap() else {
        panic!("it is its own")
    };
    assert!(renewed > first, "{renewed}");
    // Also to a shorter time.
    let Lease::Held { until: shorter } = leases.acquire("watch", "one", HOUR / 2).await.unwrap() else {
        panic!("it is its own")
    };
    assert!(shorter < first, "{shorter}");
    assert_eq!(
        leases.acquire("watch", "two", HOUR).await.unwrap(),
        Lease::Elsewhere { holder: "one".to_owned(), until: shorter }
    );
}

pub async fn a_lease_ends_by_the_databases_clock<F: LedgerFixture>() {
    let fixture = F::start().await;
    let (ledger, _) = fixture.ports();
    let leases = fixture.leases();
    let Lease::Held { until } = leases.acquire("watch", "one", Duration::from_millis(200)).await.unwrap() else {
        panic!("it is free")
    };
    let taken = loop {
        match leases.acquire("watch", "two", HOUR).await.unwrap() {
            Lease::Elsewhere { holder, until: said } => {
                assert_eq!((holder.as_str(), said), ("one", until));
                tokio::task::yield_now().await;
            }
            Lease::Held { until } => break until,
        }
    };
    assert!(ledger.time().await.unwrap() >= until, "not before it ended");
    // And whoever had it has to wait now.
    let late = leases.acquire("watch", "one", HOUR).await.unwrap();
    assert_eq!(late, Lease::Elsewhere { holder: "two".to_owned(), until: taken });
}

pub async fn a_lease_that_is_given_up_is_free<F: LedgerFixture>() {
    let fixture = F::start().await;
    let leases = fixture.leases();
    assert!(is_held(&leases, "watch", "one", HOUR).await);
    for _ in 0..2 {
        leases.release("watch", "one").await.unwrap();
    }
    assert!(is_held(&leases, "watch", "two", HOUR).await);
    leases.release("never", "taken").await.unwrap();
}

pub async fn only_its_holder_gives_a_lease_up<F: LedgerFixture>() {
    let fixture = F::start().await;
    let leases = fixture.leases();
    assert!(is_held(&leases, "watch", "one", HOUR).await);
    for other in ["two", "One", "one ", ""] {
        leases.release("watch", other).await.unwrap();
        assert_eq!(holder(&leases.acquire("watch", "two", HOUR).await.unwrap()), Some("one"));
    }
}

pub async fn of_many_that_ask_at_once_one_has_it<F: LedgerFixture>() {
    let fixture = F::start().await;
    let leases = fixture.leases();
    for round in 0..5 {
        let name = format!("watch {round}");
        let asking = (0..8).map(|number| {
            let (leases, name) = (Arc::clone(&leases), name.clone());
            tokio::spawn(async move { leases.acquire(&name, &format!("process {number}"), HOUR).await.unwrap() })
        });
        let answers: Vec<_> = join_all(asking.collect::<Vec<_>>()).await.into_iter().map(Result::unwrap).collect();
        let held = answers.iter().position(|answer| holder(answer).is_none()).unwrap();
        for (number, answer) in answers.iter().enumerate() {
            let expected = (number != held).then(|| format!("process {held}"));
            assert_eq!(holder(answer), expected.as_deref());
        }
    }
}

pub async fn leases_are_told_apart_by_name_and_any_text_survives<F: LedgerFixture>() {
    let fixture = F::start().await;
    let leases = fixture.leases();
    let texts = ["", "watch", "Watch", "a\0b", "␛", "␛0", "\0", "🦀 e\u{301}", "'; --"];
    for text in texts {
        assert!(is_held(&leases, text, text, HOUR).await, "{text:?}");
    }
    for text in texts {
        let asked = leases.acquire(text, "another", HOUR).await.unwrap();
        assert_eq!(holder(&asked), Some(text));
        assert!(is_held(&leases, text, text, HOUR).await, "{text:?}");
    }
}
