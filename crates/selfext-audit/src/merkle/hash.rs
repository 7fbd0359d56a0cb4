//! The hashes of RFC 6962, section 2.1: leaves and nodes differ in their first byte, so that neither passes for the other.

use selfext_domain::Digest32;
use sha2::{Digest as _, Sha256};

/// The root of a tree without leaves: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Digest32 {
    Digest32::of(&[])
}

/// `SHA-256(0x00 ‖ data)`.
#[must_use]
pub fn leaf_hash(data: &[u8]) -> Digest32 {
    let mut hash = Sha256::new();
    hash.update([0]);
    hash.update(data);
    Digest32::from_bytes(hash.finalize().into())
}

/// `SHA-256(0x01 ‖ left ‖ right)`.
#[must_use]
pub fn node_hash(left: Digest32, right: Digest32) -> Digest32 {
    let mut bytes = [1; 65];
    bytes[1..33].copy_from_slice(left.as_bytes());
    bytes[33..].copy_from_slice(right.as_bytes());
    Digest32::of(&bytes)
}
