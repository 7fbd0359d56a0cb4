//! The cases, by what they are about.
#![expect(clippy::unwrap_used, reason = "a case is a test")]

pub mod attributes;
pub mod bases;
pub mod candidates;
pub mod dependencies;
pub mod endings;
pub mod hostility;
pub mod stages;
pub mod surroundings;
