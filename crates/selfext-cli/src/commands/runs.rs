//! `runs`.

use anyhow::Result;
use selfext::RunQuery;

use super::Ledger;
use crate::args::Runs;
use crate::exit::Exit;
use crate::show;

pub async fn run(ledger: &Ledger, args: &Runs) -> Result<Exit> {
    let operations = ledger.open().await?;
    let query = RunQuery {
        selection: args.selection(),
        proposed: args.proposed.range(&operations).await?,
        before: args.before,
        limit: args.limit,
    };
    let runs = operations.runs(&query).await?;
    show::print_runs(&runs, query.limit, ledger.json);
    Ok(Exit::Done)
}
