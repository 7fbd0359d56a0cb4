//! The repository of a run, as the commands take it.

use selfext::{BranchName, RepositoryName};

use crate::args::quoted;

/// The options that name a repository of the ledger's. Where one on this machine lies is not in the ledger.
pub fn place(repository: &RepositoryName, base: &BranchName) -> String {
    let mut words = match repository.owner() {
        "local" => "--local PATH".to_owned(),
        _ => format!("--github {repository}"),
    };
    if base.as_str() != "main" {
        words.push_str(" --base ");
        words.push_str(&quoted(base.as_str()));
    }
    words
}
