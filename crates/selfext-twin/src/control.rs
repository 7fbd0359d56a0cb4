//! What tests and the demo say to a twin: statuses, check runs, protection, and rules that set them.

mod auto_check;
mod checks;
mod merge_method;
mod protection;
mod queue;
mod review;
mod snapshot;

pub use auto_check::{AutoCheck, NewHead};
pub use checks::{AppIdentity, CheckConclusion, CheckOutcome, StatusState};
pub use merge_method::MergeMethod;
pub use protection::{MergeMethods, Protection, ProtectionSource, RequiredCheck};
pub use queue::{QueueCommit, QueueEntry, QueueRules};
pub use review::{Permission, ReviewState};
pub use snapshot::PullSnapshot;
