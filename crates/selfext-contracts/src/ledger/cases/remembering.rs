use futures::future::join_all;
use selfext_domain::RepositoryName;

use crate::ledger::LedgerFixture;

const GITHUB: &str = "https://api.github.com";

fn name(text: &str) -> RepositoryName {
    RepositoryName::parse(text).unwrap()
}

pub async fn a_repositorys_first_number_is_remembered<F: LedgerFixture>() {
    let fixture = F::start().await;
    let repositories = fixture.repositories();
    assert_eq!(repositories.remember(GITHUB, &name("o/r"), 7).await.unwrap(), 7);
    assert_eq!(repositories.remember(GITHUB, &name("o/r"), 7).await.unwrap(), 7);
    assert_eq!(repositories.remember(GITHUB, &name("O/R"), 8).await.unwrap(), 7, "another one of the name");
    assert_eq!(repositories.remember(GITHUB, &name("o/other"), 8).await.unwrap(), 8);
    let elsewhere = "https://ghe.example/api/v3";
    assert_eq!(repositories.remember(elsewhere, &name("o/r"), 9).await.unwrap(), 9, "another forge");
    assert_eq!(repositories.remember(GITHUB, &name("o/r"), 9).await.unwrap(), 7);
}

pub async fn of_numbers_that_come_at_once_one_is_remembered<F: LedgerFixture>() {
    let fixture = F::start().await;
    let repositories = fixture.repositories();
    let repository = name("o/r");
    let all = join_all((100..112).map(|number| repositories.remember(GITHUB, &repository, number))).await;
    let all: Vec<u64> = all.into_iter().map(Result::unwrap).collect();
    assert!(all.iter().all(|one| *one == all[0]) && (100..112).contains(&all[0]), "{all:?}");
}

pub async fn what_is_remembered_of_a_repository_stays_as_it_is<F: LedgerFixture>() {
    let fixture = F::start().await;
    fixture.repositories().remember(GITHUB, &name("o/r"), 7).await.unwrap();
    for sql in [
        "DELETE FROM self_extension_repositories",
        "UPDATE self_extension_repositories SET number = 8",
        "INSERT INTO self_extension_repositories SELECT * FROM self_extension_repositories",
    ] {
        assert!(fixture.sql(sql).await.is_err(), "{sql}");
    }
    assert_eq!(fixture.repositories().remember(GITHUB, &name("o/r"), 8).await.unwrap(), 7);
}
