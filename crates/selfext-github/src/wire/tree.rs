//! Trees.

use selfext_domain::TreeSha;
use serde::{Deserialize, Serialize};

/// A tree to be made from another one.
#[derive(Serialize)]
pub(crate) struct NewTree<'a> {
    pub(crate) base_tree: &'a TreeSha,
    pub(crate) tree: Vec<NewTreeEntry<'a>>,
}

/// One path of a tree to be made.
#[derive(Serialize)]
pub(crate) struct NewTreeEntry<'a> {
    pub(crate) path: &'a str,
    pub(crate) mode: &'static str,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    #[serde(flatten)]
    pub(crate) source: TreeSource<'a>,
}

/// Where the bytes of a path come from.
#[derive(Serialize)]
pub(crate) enum TreeSource<'a> {
    /// They are here.
    #[serde(rename = "content")]
    Content(&'a str),
    /// They are a blob; `null` deletes the path.
    #[serde(rename = "sha")]
    Blob(Option<String>),
}

/// A tree that was made.
#[derive(Deserialize)]
pub(crate) struct WrittenTree {
    pub(crate) sha: TreeSha,
}
