//! Text that leaves the machine: redacted, capped, and escaped for the place where it is shown.
//!
//! Output of candidate code and messages of agents are hostile input. Three rules keep them harmless:
//!
//! - [`RedactedText`] is the only form in which output is kept; it cannot be made without [`redact()`].
//! - Redaction comes before every cut, so that no cut can hide a secret's prefix and spare its rest.
//! - What GitHub parses passes through [`code_block`], [`inline`] or [`plain`], which differ by the place.
//!
//! Everything here is total (any input, no panic), pure, and runs in time linear in the input.

mod assigned;
mod assignment;
mod authorization;
mod cap;
mod escape_sequences;
mod joined;
mod kind;
mod markdown;
mod neutral;
mod redact;
mod shape;
mod shapes;
#[cfg(test)]
mod tests;
mod text;

pub use cap::{Keep, TextCap};
pub use markdown::{code_block, inline};
pub use neutral::plain;
pub use redact::redact;
pub use text::RedactedText;

/// Compiles a pattern that is written in the source; the tests run every one of them.
pub(crate) fn constant(pattern: &'static str) -> regex::Regex {
    regex::Regex::new(pattern).expect("a pattern in the source is valid")
}
