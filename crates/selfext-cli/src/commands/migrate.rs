//! `migrate`.

use anyhow::{Context as _, Result};
use selfext::{Migrated, Operations, SchemaState};
use serde_json::json;

use super::Ledger;
use crate::exit::Exit;
use crate::show;

pub async fn run(ledger: &Ledger) -> Result<Exit> {
    let url = ledger.url()?;
    let migrated = Operations::migrate(&url).await;
    let (state, Migrated { roles_missing }) =
        migrated.with_context(|| format!("the ledger {url} could not be migrated"))?;
    if ledger.json {
        let (database, schema) = (url.to_string(), version(state));
        let exit_code = Exit::Done as u8;
        show::print_json(
            &json!({"outcome": "migrated", "database": database, "schema": schema, "roles_missing": roles_missing, "exit_code": exit_code}),
        );
    } else {
        show::print(&format!("the ledger {url} is at schema {}", version(state)));
        if let Some(problem) = roles_missing {
            show::note(&format!(
                "the roles of agents and operators could not be made ({}): whoever may write events may also resume and rewrite. \
                 A superuser can make them: SELECT public.self_extension_make_roles();",
                show::clean(&problem)
            ));
        }
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
