//! `verify`.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use selfext::audit::note::VerifierKey;
use selfext::audit::proof::{self, ConsistencyProof, ProofError, RunProof};
use serde_json::{Value, json};

use super::keys;
use crate::exit::Exit;
use crate::show::{self, clean};

const NOTHING: &str = "the proof proves nothing";

pub fn run(file: &Path, given: &[String], json: bool) -> Result<Exit> {
    let keys = keys::verifiers(given)?;
    let text = read(file).with_context(|| format!("the proof {} cannot be read", file.display()))?;
    let (words, answer) = match RunProof::from_json(&text) {
        Err(ProofError::Format(_)) => continuation(&text, &keys)?,
        document => of_run(&document?, &keys)?,
    };
    if json {
        show::print_json(&answer);
    } else {
        show::print(&words);
    }
    Ok(Exit::Done)
}

fn of_run(document: &RunProof, keys: &[VerifierKey]) -> Result<(String, Value)> {
    let verified = proof::verify(document, keys).context(NOTHING)?;
    let (run, signed) = (verified.run(), verified.checkpoint());
    let checkpoint = signed.checkpoint();
    let types: Vec<&str> = verified.events().iter().map(|event| event.body.event_type()).collect();
    let witnesses: Vec<String> = signed.cosignatures().iter().map(|seen| seen.witness.to_string()).collect();
    let words = format!(
        "proved: run {}: {}; sealed among {} events by {}",
        clean(run.as_str()),
        types.join(", "),
        checkpoint.size,
        checkpoint.origin
    );
    let answer = json!({
        "outcome": "proved",
        "run": run,
        "events": types,
        "sealed": checkpoint.size,
        "origin": checkpoint.origin.as_str(),
        "cosigned_by": witnesses,
        "exit_code": Exit::Done as u8,
    });
    Ok((words, answer))
}

fn continuation(text: &str, keys: &[VerifierKey]) -> Result<(String, Value)> {
    let (first, second) = ConsistencyProof::from_json(text)?.verify(keys).context(NOTHING)?;
    let (first, second) = (first.checkpoint().size, second.checkpoint().size);
    Ok((
        format!(
            "proved: the {first} events that were sealed first are the first of the {second} that were sealed later"
        ),
        json!({"outcome": "proved", "first": first, "second": second, "exit_code": Exit::Done as u8}),
    ))
}

fn read(file: &Path) -> std::io::Result<String> {
    if file != Path::new("-") {
        return std::fs::read_to_string(file);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(text)
}
