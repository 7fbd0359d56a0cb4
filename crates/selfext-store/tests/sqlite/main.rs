//! The store on SQLite: the contract suites, and what only this database has.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod bell;
mod fixture;
mod runtimes;
mod schema;
mod walls;

use fixture::SqliteFixture;

mod ledger {
    use super::SqliteFixture;

    selfext_contracts::ledger_contract!(SqliteFixture);
}

mod control {
    use super::SqliteFixture;

    selfext_contracts::control_contract!(SqliteFixture);
}
