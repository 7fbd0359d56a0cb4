//! Signed notes, as <https://c2sp.org/signed-note> has them and Go's `golang.org/x/mod/sumdb/note` writes them: a text, an empty
//! line, and one line a signature.

mod key;
mod name;
mod signed;
mod signer;
#[cfg(test)]
mod tests;

pub use key::{KeyError, KeyId, KeyKind, VerifierKey};
pub use name::KeyName;
pub use signed::{NoteError, NoteSignature, SignedNote, VerifiedSignature};
pub use signer::SignerKey;
