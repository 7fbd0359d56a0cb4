//! What auditors do: seal the ledger, verify it, export it, and prove what it says.

mod audit;
mod export;
mod prove;
mod rows;
mod seal;

pub use audit::Audit;
pub use export::{ExportFailure, Exported};
pub use prove::ProveError;
pub use seal::{SealError, Sealed};
