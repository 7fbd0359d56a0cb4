//! The walls that Linux offers without any privilege.

mod cgroup;
mod file_system;
mod files;
mod filter;
mod keeper;
mod limits;
mod machine;
mod raise;
mod step;
mod system;

pub(crate) use machine::{Guarded, Machine};
