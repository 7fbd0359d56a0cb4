//! What a health window asks for.

use serde::{Deserialize, Serialize};

/// What a promoted change has to show before it counts as healthy. The terms are those of the rules under which the change was
/// merged: they are recorded with it, so that a later change of the rules neither loosens nor tightens a window that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthTerms {
    /// Within how many seconds after the promotion the promoted commit must first be seen running.
    pub start_seconds: u32,
    /// For how many seconds, from then on, it must be seen healthy.
    pub healthy_seconds: u32,
    /// How many samples of it must be taken.
    pub samples: u32,
    /// How many of its samples may be unhealthy.
    pub error_budget: u32,
    /// The longest time, in seconds, from one of its samples to the next.
    pub silence_seconds: u32,
    /// Within how many seconds after the promotion all of this must be shown.
    pub window_seconds: u32,
}

impl Default for HealthTerms {
    /// Seen within two minutes, healthy for five minutes with ten samples, one of which may be unhealthy, and no minute without
    /// one; all of it within a quarter of an hour.
    fn default() -> Self {
        Self {
            start_seconds: 120,
            healthy_seconds: 300,
            samples: 10,
            error_budget: 1,
            silence_seconds: 60,
            window_seconds: 900,
        }
    }
}
