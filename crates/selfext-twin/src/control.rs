//! What tests and the demo say to a twin: statuses, check runs, protection, and rules that set them.

mod auto_check;
mod checks;
mod protection;
mod review;
mod snapshot;

pub use auto_check::{AutoCheck, NewHead};
pub use checks::{AppIdentity, CheckConclusion, CheckOutcome, StatusState};
pub use protection::{MergeMethods, Protection, ProtectionSource, RequiredCheck};
pub use review::{Permission, ReviewState};
pub use snapshot::PullSnapshot;
