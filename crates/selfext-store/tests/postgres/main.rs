//! The store on Postgres: the contract suites, and what only this database has.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod bell;
mod connections;
mod fixture;
mod following;
mod history;
mod roles;
mod schema;
mod walls;

use fixture::PgFixture;

mod ledger {
    use super::PgFixture;

    selfext_contracts::ledger_contract!(PgFixture);
}

mod control {
    use super::PgFixture;

    selfext_contracts::control_contract!(PgFixture);
}
