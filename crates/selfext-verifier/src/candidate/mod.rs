//! Putting a change set on a base, as git objects alone.

mod base_tree;
mod build;
mod clash;
mod links;
mod obstacle;
mod plan;

pub(crate) use build::build;
