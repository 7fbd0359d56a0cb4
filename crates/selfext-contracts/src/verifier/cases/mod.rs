//! The cases, by what they are about.
#![expect(clippy::unwrap_used, reason = "a case is a test")]

pub mod attributes;
pub mod bases;
pub mod candidates;
pub mod dependencies;
pub mod endings;
pub mod histories;
pub mod hostility;
pub mod reversal_conflicts;
pub mod reversals;
pub mod stages;
pub mod surroundings;
