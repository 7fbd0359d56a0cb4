//! What takes a landed commit back on a later one.

mod build;
mod difference;
mod merge;
mod verdict;

pub(crate) use build::build;
