//! Health windows: what a promoted change has to show before it is the baseline.

mod sample;
mod standing;
mod terms;
mod window;

pub use sample::{HealthSample, Heartbeat, Reporter};
pub use standing::HealthStanding;
pub use terms::HealthTerms;
pub use window::{HealthWindow, WindowVerdict};
