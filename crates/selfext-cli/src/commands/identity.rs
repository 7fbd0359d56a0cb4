//! Who selfext is at GitHub, and which repository it means: from the command line and from the environment.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::Result;
use selfext::{InvalidApp, SelfextBuilder};

use crate::args::Target;
use crate::exit::usage;
use crate::show;

/// The variable of the token that is selfext's own.
const TOKEN: &str = "SELFEXT_GITHUB_TOKEN";

/// The variables that may hold the token, in the order in which they are asked.
const TOKENS: &[&str] = &[TOKEN, "GITHUB_TOKEN", "GH_TOKEN"];

/// The variable that may hold the App's id.
const APP: &str = "SELFEXT_GITHUB_APP_ID";

/// The variable that may name the file of the App's private key.
const KEY_FILE: &str = "SELFEXT_GITHUB_APP_KEY_FILE";

/// The variable that may hold the App's private key itself.
const KEY: &str = "SELFEXT_GITHUB_APP_KEY";

/// The variable that may hold the repository's number.
const REPOSITORY: &str = "SELFEXT_GITHUB_REPOSITORY_ID";

/// A variable's value, if it says something.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// Says who asks, and for which repository.
pub fn identify(builder: SelfextBuilder, target: &Target) -> Result<SelfextBuilder> {
    let builder = match repository_id(target)? {
        Some(id) => builder.repository_id(id),
        None => builder,
    };
    let id = target.github_app_id.clone().or_else(|| variable(APP));
    match (id, key(target.github_app_key_file.as_deref())?) {
        (None, None) => {
            let token = TOKENS.iter().find_map(|name| variable(name));
            let token = token.ok_or_else(|| {
                let tokens = TOKENS.join(", or ");
                usage(format!("no token for GitHub: set {tokens}; or name a GitHub App with --github-app-id"))
            })?;
            builder.github_token(&token).map_err(|error| usage(error.to_string()))
        }
        (Some(_), None) => Err(usage(format!(
            "the GitHub App has no key: name its file with --github-app-key-file, or {KEY_FILE}, or set {KEY}"
        ))),
        (None, Some(_)) => {
            Err(usage(format!("the key is no App's: name the GitHub App with --github-app-id, or set {APP}")))
        }
        // Other programs' variables stand back where an App is named.
        (Some(_), Some(_)) if variable(TOKEN).is_some() => Err(usage(format!(
            "both a GitHub App and the token in {TOKEN} are given: selfext acts as one of them, so take one away"
        ))),
        (Some(id), Some((key, place))) => builder.github_app(&id, &key).map_err(|error| match error {
            InvalidApp::Id(error) => usage(format!("--github-app-id, or {APP}: {error}")),
            InvalidApp::Key(error) => usage(format!("the App's private key in {place}: {error}")),
        }),
    }
}

fn repository_id(target: &Target) -> Result<Option<u64>> {
    let Some(text) = target.repository_id.is_none().then(|| variable(REPOSITORY)).flatten() else {
        return Ok(target.repository_id);
    };
    let id = text.trim().parse().map_err(|error| usage(format!("{REPOSITORY} is no number: {error}")))?;
    Ok(Some(id))
}

/// The App's private key, and where it comes from.
fn key(file: Option<&Path>) -> Result<Option<(String, String)>> {
    let named = file.map(Path::to_owned).or_else(|| variable(KEY_FILE).map(Into::into));
    let Some(file) = named else {
        return Ok(variable(KEY).map(|key| (key, KEY.to_owned())));
    };
    let shown = file.display().to_string();
    let read = fs::metadata(&file).and_then(|about| Ok((about.mode(), fs::read_to_string(&file)?)));
    let (mode, key) = read.map_err(|error| usage(format!("the App's private key {shown} cannot be read: {error}")))?;
    if mode & 0o044 != 0 {
        show::note(&format!(
            "warning: other users of this machine can read the App's private key {shown}: chmod 600 it"
        ));
    }
    Ok(Some((key, shown)))
}
