//! What auditors run.

mod audit;
mod export;
pub mod keys;
pub mod places;
mod prove;
mod seal;
mod verify;

pub use audit::run as audit;
pub use export::run as export;
pub use prove::run as prove;
pub use seal::run as seal;
pub use verify::run as verify;
