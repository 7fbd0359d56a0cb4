//! Putting a change set on a base, as git objects alone.

mod applicable;
mod base_tree;
mod budget;
mod build;
mod clash;
mod links;
mod obstacle;
mod plan;
mod reversal;

pub(crate) use applicable::keep_applicable;
pub(crate) use base_tree::{BaseTree, Entry, Kind};
pub(crate) use budget::Budget;
pub(crate) use build::build;
