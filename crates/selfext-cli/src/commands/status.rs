//! `status`.

use anyhow::Result;

use super::Ledger;
use crate::exit::Exit;
use crate::show;

pub async fn run(ledger: &Ledger, limit: u32) -> Result<Exit> {
    show::print_status(&ledger.open().await?.status(limit).await?, ledger.json);
    Ok(Exit::Done)
}
