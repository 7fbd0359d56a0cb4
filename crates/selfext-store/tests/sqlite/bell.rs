//! The bell that wakes those who wait for the forge.

use std::time::Duration;

use selfext_contracts::ledger::LedgerFixture as _;
use selfext_domain::RepositoryName;
use selfext_store::Store;
use tokio::time::timeout;

use crate::fixture::SqliteFixture;

/// How long a bell may take until it is heard.
const SOON: Duration = Duration::from_secs(20);

/// Longer than a bell takes that is heard.
const SILENCE: Duration = Duration::from_millis(800);

fn repository(name: &str) -> RepositoryName {
    RepositoryName::parse(name).unwrap()
}

#[tokio::test]
async fn a_bell_is_heard_by_another_process_and_only_for_its_own_repository() {
    let fixture = SqliteFixture::start().await;
    let elsewhere = Store::connect(fixture.store.url()).await.unwrap();
    let listening = elsewhere.bell(&repository("o/agent"));
    timeout(SOON, listening.heard()).await.expect("listening begins with a look");
    assert!(timeout(SILENCE, listening.heard()).await.is_err(), "nobody rang");

    fixture.store.bell(&repository("o/agent2")).ring().await.unwrap();
    assert!(timeout(SILENCE, listening.heard()).await.is_err(), "another bell rang");

    // In any case, as GitHub names repositories.
    let ringing = fixture.store.bell(&repository("O/Agent"));
    for _ in 0..2 {
        ringing.ring().await.unwrap();
        timeout(SOON, listening.heard()).await.expect("it rang");
    }
    assert!(timeout(SILENCE, listening.heard()).await.is_err(), "it was heard once for each ring");
}

#[tokio::test]
async fn a_bell_is_heard_however_often_it_was_rung() {
    let fixture = SqliteFixture::start().await;
    let bell = fixture.store.bell(&repository("o/agent"));
    let path = fixture.file.path();
    let folder = path.parent().unwrap();
    bell.ring().await.unwrap();
    let beside = |entry: std::io::Result<std::fs::DirEntry>| Some(entry.unwrap().path());
    let file =
        std::fs::read_dir(folder).unwrap().filter_map(beside).find(|path| path.to_str().unwrap().contains("-forge-"));
    let file = file.unwrap();
    std::fs::write(&file, vec![b'.'; 64 * 1024]).unwrap();
    timeout(SOON, bell.heard()).await.expect("it rang");
    bell.ring().await.unwrap();
    timeout(SOON, bell.heard()).await.expect("it rang again");
    assert_eq!(std::fs::metadata(&file).unwrap().len(), 1, "the file does not grow for ever");
}
