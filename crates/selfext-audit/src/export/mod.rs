//! The exported ledger: a text that can be kept, handed on and audited anywhere.
//!
//! JSON, one object a line, each line ended by a newline. An object has one member, which names the line's kind:
//!
//! ```text
//! {"header":{"format":"selfext-export/1"}}
//! {"event":{"transaction":7,"id":3,"sequence":1,"content":"…","prev_hash":"…","hash":"…","created_at":"…","written_by":"…"}}
//! {"checkpoint":{"note":"…"}}
//! {"end":{"events":1,"checkpoints":1}}
//! ```
//!
//! The header comes first, the end last, and its counts are those of the lines between, so that an export which was cut is
//! noticed. Events stand in the order of their positions, a checkpoint behind the last event that it seals. `transaction` and
//! `id` are the position; `content` is the exact text that was hashed; hashes are 64 lower-case hexadecimal digits;
//! `created_at` and `written_by` are what the database said, as it said it, and no hash binds them. What a database derives
//! from `content` is not exported: there is nothing to compare it with outside of the database. A line has at most 16 MiB.

mod audit;
mod line;
mod reader;
#[cfg(test)]
mod tests;
mod usual;
mod writer;

pub use audit::{BUFFER, audit};
pub use line::{ExportLine, ExportedEvent};
pub use reader::{ExportError, ExportReader};
pub use writer::{ExportWriter, WriteError};

/// The format that is written and read.
const FORMAT: &str = "selfext-export/1";

/// The longest line, with its newline, in bytes.
const MAX_LINE: usize = 16 << 20;
