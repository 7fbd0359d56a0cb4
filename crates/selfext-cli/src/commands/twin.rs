//! `twin`.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;
use selfext::RepositoryName;
use selfext_twin::{Twin, TwinConfig, TwinError};
use serde_json::json;

use crate::exit::{Exit, usage};
use crate::interrupt::Interrupt;
use crate::show;

pub async fn run(repo: &Path, listen: SocketAddr, name: Option<RepositoryName>, json: bool) -> Result<Exit> {
    let shown = repo.display();
    if !repo.is_dir() {
        return Err(usage(format!("--repo {shown}: there is no such folder")));
    }
    let name = name.map_or_else(|| RepositoryName::parse("twin/agent"), Ok)?;
    // Before the address is printed: whoever saw it may interrupt.
    let mut interrupt = Interrupt::listen()?;
    let twin = Twin::open(repo, TwinConfig::new(name.owner(), name.name())).await;
    let twin = twin.map_err(|error| cannot(error, format!("--repo {shown} cannot be served")))?;
    let serving = twin.serve(listen).await;
    let serving = serving.map_err(|error| cannot(error, format!("--listen {listen} cannot be had")))?;
    let url = serving.base_url();
    if json {
        show::print_json(&json!({"url": url, "repository": name}));
    } else {
        show::print(&format!(
            "serving {shown} as {name} on {url}\nfor example: curl {url}/repos/{name}\nit ends with Ctrl-C"
        ));
    }
    interrupt.came().await;
    serving.shutdown().await;
    Ok(Exit::Done)
}

fn cannot(error: TwinError, what: String) -> anyhow::Error {
    match error {
        TwinError::NotLoopback(_) => usage(format!("{what}: {error}")),
        TwinError::Git(source) => usage(format!("{what}: {source}")),
        error => anyhow::Error::from(error).context(what),
    }
}
