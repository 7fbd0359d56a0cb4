//! Checkpoints, as <https://c2sp.org/tlog-checkpoint> has them: what a seal of a ledger is.
//!
//! A checkpoint says that the ledger's first `size` events, in the order of their positions, are the leaves of a tree with this
//! root. Its text is
//!
//! ```text
//! example.com/agents/ledger
//! 20852163
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//! selfext/1 81231.20852190
//! ```
//!
//! - the **origin**: which ledger this is; the name of the key that signs its checkpoints, so that no second name has to be
//!   agreed on;
//! - the **size**: how many events are sealed, in decimal;
//! - the **root**, in base64: RFC 6962 over the events' leaf hashes (see [`event_leaf`](crate::event_leaf));
//! - one **extension line**, `selfext/1` and the position of the last sealed event, as
//!   [`Position`](selfext_domain::Position) writes it; left out where nothing is sealed.
//!
//! The last line is there for two readers. Who seals finds in it where to go on. An auditor sees from it between which two
//! seals events are missing or were added: without it, one missing event makes every later size fall on another event, and all
//! that can be said is that nothing fits any more. It claims nothing that the root does not bind, so a witness that ignores
//! extension lines, as witnesses do, loses nothing by it. Other extension lines are kept and ignored.
//!
//! What an auditor does not need is not in it: no time (a witness's cosignature has one that is worth more), no history of the
//! database (a ledger that lost events does not fit its older checkpoints, whatever its history), no name of the host.

mod signed;
mod text;

pub use signed::{Cosignature, SignedCheckpoint};
pub use text::{Checkpoint, CheckpointError};
