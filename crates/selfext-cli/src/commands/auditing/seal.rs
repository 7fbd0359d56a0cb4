//! `seal`.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use selfext::Sealed;
use selfext::audit::note::SignerKey;
use serde_json::json;

use super::super::Ledger;
use super::super::target::Place;
use super::keys;
use super::places::{self, Places};
use crate::args::Seal;
use crate::exit::{Exit, usage};
use crate::interrupt::Interrupt;
use crate::show;

pub async fn run(ledger: &Ledger, args: &Seal) -> Result<Exit> {
    if let Some(name) = &args.new_key {
        let file =
            args.key_file.as_deref().ok_or_else(|| usage("--new-key needs --key-file, where the secret goes"))?;
        return Ok(made(&keys::make(name, file)?, file, ledger.json));
    }
    let key = keys::signer(args.key_file.as_deref())?;
    let operations = ledger.open().await?;
    let Some(every) = args.every else {
        let sealed = operations.seal(&key).await?;
        hand_on(&sealed, ledger, args).await?;
        tell(&sealed, &key, ledger.json);
        return Ok(Exit::Done);
    };
    // Before anything is printed: whoever saw a line may interrupt.
    let mut interrupt = Interrupt::listen()?;
    let told = async |sealed: Result<Sealed, selfext::SealError>| match sealed {
        Ok(sealed) if sealed.is_new => {
            if let Err(error) = hand_on(&sealed, ledger, args).await {
                show::note(&format!("sealed, but not handed on: {error:#}"));
            }
            tell(&sealed, &key, ledger.json);
        }
        Ok(_) | Err(selfext::SealError::Nothing) => {}
        Err(error) => show::note(&format!("not sealed, and tried again: {:#}", anyhow::Error::from(error))),
    };
    tokio::select! {
        never = operations.keep_sealing(&key, Duration::from_secs(every), told) => match never {},
        () = interrupt.came() => Ok(Exit::Done),
    }
}

/// Brings the note to where whoever holds the database cannot rewrite it.
async fn hand_on(sealed: &Sealed, ledger: &Ledger, args: &Seal) -> Result<()> {
    places::hand_on(sealed, Places { file: args.to.as_deref(), tag: args.tag.as_deref() })?;
    if let Some(number) = args.pull_request {
        let site = Place::find(&args.target).await?.open(ledger, &args.target.base).await?;
        let posted = site.selfext().post_seal(number, sealed).await;
        site.end().await;
        posted.with_context(|| format!("the checkpoint could not be put on pull request {number}"))?;
    }
    Ok(())
}

fn tell(sealed: &Sealed, key: &SignerKey, json: bool) {
    let checkpoint = &sealed.checkpoint;
    if json {
        show::print_json(&json!({
            "outcome": if sealed.is_new { "sealed" } else { "already-sealed" },
            "events": checkpoint.size,
            "root": checkpoint.root,
            "checkpoint": sealed.note,
            "public_key": key.verifier().to_string(),
            "exit_code": Exit::Done as u8,
        }));
    } else {
        let words = if sealed.is_new { "sealed" } else { "nothing new since the seal of" };
        show::note(&format!(
            "{words} {} events; keep this where nobody who holds the database can reach it:",
            checkpoint.size
        ));
        show::print(sealed.note.trim_end());
    }
}

fn made(key: &SignerKey, file: &Path, json: bool) -> Exit {
    let public = key.verifier().to_string();
    if json {
        show::print_json(
            &json!({"outcome": "key-made", "key_file": file.display().to_string(), "public_key": public, "exit_code": Exit::Done as u8}),
        );
    } else {
        show::note(&format!("the secret key is in {}; auditors need the public one:", file.display()));
        show::print(&public);
    }
    Exit::Done
}
