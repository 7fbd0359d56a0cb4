//! Where the symbolic links of a base lead.

use selfext_domain::ports::VerifierError;
use selfext_domain::{BaseLinks, RepoPath};

use super::base_tree::BaseTree;
use crate::cache::Repository;

/// Reads the targets of all links, by one call of git where there are any.
pub(super) async fn links(repository: &Repository, tree: &BaseTree) -> Result<BaseLinks, VerifierError> {
    let (paths, objects): (Vec<&[u8]>, Vec<&str>) = tree.links().unzip();
    let targets = repository.blobs("the symbolic links of the base cannot be read", &objects).await?;
    let read: Vec<(RepoPath, &str)> = paths
        .iter()
        .zip(&targets)
        // A name that no change can have, and a target that is no text, are no other name of what a change can touch.
        .filter_map(|(path, target)| Some((RepoPath::parse(text(path)?).ok()?, text(target)?)))
        .collect();
    Ok(BaseLinks::new(read.iter().map(|(path, target)| (path, *target))))
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}
