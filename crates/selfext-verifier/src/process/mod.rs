//! Child processes that end as a whole, and their output.

mod running;
mod tail;

pub(crate) use running::Running;
pub(crate) use tail::Tail;
