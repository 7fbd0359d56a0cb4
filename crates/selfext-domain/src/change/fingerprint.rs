//! What identifies the content of a change set.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::FileChange;
use crate::{Digest32, InvalidValue, RepoPath};

/// The SHA-256 of a change set's content: of every path in order with its bytes and mode, each part with its length
/// before it. The message, the context and the time are no part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(Digest32);

impl Fingerprint {
    pub(super) fn of(files: &BTreeMap<RepoPath, FileChange>) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"selfext change set 1\n");
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        for (path, change) in files {
            part(path.as_str().as_bytes());
            match change {
                FileChange::Write { content, executable } => {
                    part(match executable {
                        None => b"write",
                        Some(false) => b"write 644",
                        Some(true) => b"write 755",
                    });
                    part(content);
                }
                FileChange::Delete => part(b"delete"),
            }
        }
        Self::from_bytes(hash.finalize().into())
    }

    /// Takes a digest that was computed before.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Digest32::from_bytes(bytes))
    }

    /// The 64 digits that it is as text, written into this room.
    #[must_use]
    pub fn digits<'a>(&self, room: &'a mut [u8; 64]) -> &'a str {
        self.0.digits(room)
    }

    /// Reads 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`InvalidValue`] for anything else.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        Digest32::parse("fingerprint", text).map(Self)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
