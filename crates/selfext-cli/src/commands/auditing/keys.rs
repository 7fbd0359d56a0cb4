//! Keys and notes, from the command line and from files.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use selfext::audit::note::{KeyName, SignerKey, VerifierKey};

use crate::exit::usage;

/// The variable that may hold the secret key itself.
const KEY: &str = "SELFEXT_SEAL_KEY";

/// Public keys, each given as its text or as a file of such texts, one a line.
pub fn verifiers(given: &[String]) -> Result<Vec<VerifierKey>> {
    let mut keys = Vec::new();
    for given in given {
        if let Ok(key) = given.parse() {
            keys.push(key);
            continue;
        }
        let text = fs::read_to_string(given)
            .map_err(|error| usage(format!("--key {given} is neither a public key nor a file of them: {error}")))?;
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            keys.push(
                line.parse()
                    .map_err(|error| usage(format!("--key {given} holds a line that is no public key: {error}")))?,
            );
        }
    }
    Ok(keys)
}

/// Notes that were kept in files.
pub fn notes(files: &[std::path::PathBuf]) -> Result<Vec<String>> {
    let read = |file: &std::path::PathBuf| {
        fs::read_to_string(file)
            .map_err(|error| usage(format!("the checkpoint {} cannot be read: {error}", file.display())))
    };
    files.iter().map(read).collect()
}

/// The secret key: of the file, or else of the environment.
pub fn signer(file: Option<&Path>) -> Result<SignerKey> {
    let text = match file {
        Some(file) => fs::read_to_string(file)
            .map_err(|error| usage(format!("the secret key {} cannot be read: {error}", file.display())))?,
        None => std::env::var(KEY).map_err(|_| {
            usage(format!("name the secret key's file with --key-file, or set {KEY}; --new-key NAME makes one"))
        })?,
    };
    // The text is not repeated.
    SignerKey::from_secret_text(text.trim()).map_err(|error| usage(format!("the secret key is none: {error}")))
}

/// Makes a secret key in a file that only this user can read, and that is not there yet.
pub fn make(name: &str, file: &Path) -> Result<SignerKey> {
    let name = KeyName::parse(name).map_err(|error| usage(format!("--new-key {name}: {error}")))?;
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|error| anyhow::anyhow!("no random numbers could be had: {error}"))?;
    let key = SignerKey::generate(name, &random);
    let written = File::options().write(true).create_new(true).mode(0o600).open(file).and_then(|mut out| {
        out.write_all(key.to_secret_text().as_bytes())?;
        out.write_all(b"\n")?;
        out.sync_all()
    });
    match written {
        Ok(()) => Ok(key),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(usage(format!("{} is there already and was left as it is", file.display())))
        }
        Err(error) => Err(error).with_context(|| format!("the secret key could not be written to {}", file.display())),
    }
}
