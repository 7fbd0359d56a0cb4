//! The cases, one file a part of the contract. The names say what is protected; the macro lists them.
#![expect(clippy::unwrap_used, reason = "a case is a test")]

pub mod pausing;
pub mod racing;
pub mod refusing;
