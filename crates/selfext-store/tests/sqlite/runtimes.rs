//! The threads of a runtime that events are appended from.

use selfext_contracts::ledger::{LedgerFixture, Story, append};
use selfext_domain::{RecordedEvent, Tip};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::{LocalSet, block_in_place, spawn_local};

use crate::fixture::SqliteFixture;

fn of_one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn of_threads() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

fn tip(last: &RecordedEvent) -> Tip {
    Tip { sequence: last.sequence, hash: last.link.hash }
}

async fn one_and_several() {
    let fixture = SqliteFixture::start().await;
    let (ledger, _) = fixture.ports();
    let story = Story::new("run 1");
    story.begin(&ledger).await;
    let last = append(&ledger, &story.blocked(), 3).await.unwrap();
    assert_eq!(ledger.append_all(&[story.tested(), story.blocked()], tip(&last)).await.unwrap().len(), 2);
    assert_eq!(ledger.stream_events(&story.run.into()).await.unwrap().len(), 5);
}

#[test]
fn events_are_appended_from_every_thread_of_a_runtime() {
    of_one_thread().block_on(one_and_several());
    of_threads().block_on(one_and_several());
    of_threads().block_on(async { tokio::spawn(one_and_several()).await.unwrap() });
    LocalSet::new().block_on(&of_one_thread(), one_and_several());
    LocalSet::new().block_on(&of_threads(), one_and_several());
    LocalSet::new().block_on(&of_threads(), async { spawn_local(one_and_several()).await.unwrap() });
    let blocking = || block_in_place(|| Handle::current().block_on(one_and_several()));
    of_threads().block_on(async { tokio::spawn(async move { blocking() }).await.unwrap() });
}

#[test]
fn a_task_that_appends_goes_on_while_another_process_has_the_file() {
    let task = async {
        let fixture = SqliteFixture::start().await;
        let (ledger, _) = fixture.ports();
        let story = Story::new("run 1");
        story.begin(&ledger).await;
        let last = append(&ledger, &story.blocked(), 3).await.unwrap();
        let release = fixture.hold(&Story::new("run 2").proposed()).await;
        let event = story.tested();
        let (recorded, ()) = futures::join!(ledger.append(&event, tip(&last)), release);
        assert_eq!(recorded.unwrap().sequence, 4);
    };
    of_threads().block_on(async { tokio::spawn(task).await.unwrap() });
}
