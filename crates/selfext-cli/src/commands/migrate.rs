//! `migrate`.

use anyhow::{Context as _, Result};
use selfext::{Operations, SchemaState};
use serde_json::json;

use super::Ledger;
use crate::exit::Exit;
use crate::show;

pub async fn run(ledger: &Ledger) -> Result<Exit> {
    let url = ledger.url()?;
    let state = Operations::migrate(&url).await.with_context(|| format!("the ledger {url} could not be migrated"))?;
    if ledger.json {
        let (database, schema) = (url.to_string(), version(state));
        let exit_code = Exit::Done as u8;
        show::print_json(
            &json!({"outcome": "migrated", "database": database, "schema": schema, "exit_code": exit_code}),
        );
    } else {
        show::print(&format!("the ledger {url} is at schema {}", version(state)));
    }
    Ok(Exit::Done)
}

const fn version(state: SchemaState) -> i64 {
    match state {
        SchemaState::Unmigrated => 0,
        SchemaState::Current { version } => version,
        SchemaState::Older { found, .. } | SchemaState::Newer { found, .. } => found,
    }
}
