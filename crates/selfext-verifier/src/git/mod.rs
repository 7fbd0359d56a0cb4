//! Calls of the git program that cannot run anything else.

mod call;
mod program;

pub(crate) use call::{GitAnswer, GitCall};
pub(crate) use program::Git;
