//! Dependencies that were prepared on a base, kept for the runs that follow.
//!
//! Each lies in a folder named after its key, beside the cache's repository, where no stage can reach. A run gets a copy: what it
//! does to that is gone with it.

mod copy;
mod layer;
mod store;

pub(crate) use layer::{InTheWay, Layer, all_free};
pub(crate) use store::{Found, Making, Store};
