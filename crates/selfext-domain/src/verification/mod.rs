//! What verification found.

mod candidate;
mod inverse;
mod limit;
mod report;
mod wall;

pub use candidate::{Candidate, EntryChange};
pub use inverse::{Inverse, InverseConflict};
pub use limit::Limit;
pub use report::{Category, Prepared, StageReport, StageResult};
pub use wall::{Mechanism, Wall, WallReport, WallState};
