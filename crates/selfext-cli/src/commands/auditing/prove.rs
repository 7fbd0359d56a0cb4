//! `prove`.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::super::Ledger;
use super::keys;
use crate::args::Prove;
use crate::exit::{Exit, usage};
use crate::show;

pub async fn run(ledger: &Ledger, args: &Prove) -> Result<Exit> {
    let keys = keys::verifiers(&args.keys.keys)?;
    let operations = ledger.open().await?;
    let document = match (&args.run, &args.since) {
        (Some(run), _) => operations.prove(run, &keys).await?.to_json(),
        (None, Some(earlier)) => {
            let earlier = keys::notes(std::slice::from_ref(earlier))?.concat();
            operations.prove_consistency(&earlier, &keys).await?.to_json()
        }
        (None, None) => return Err(usage("name a run, or an earlier checkpoint with --since")),
    };
    let document = document.context("the proof has no JSON")?;
    match args.to.as_deref().filter(|to| *to != Path::new("-")) {
        None => {
            show::print(&document);
        }
        Some(to) => {
            std::fs::write(to, document + "\n")
                .with_context(|| format!("the proof could not be written to {}", to.display()))?;
            show::note(&format!(
                "the proof is in {}; `selfext verify` needs it and the public key alone",
                to.display()
            ));
        }
    }
    Ok(Exit::Done)
}
