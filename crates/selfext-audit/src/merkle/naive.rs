//! The tree as RFC 6962 writes it down, recursively; what the other modules are tested against.

use selfext_domain::Digest32;

use super::hash::{empty_root, leaf_hash, node_hash};

/// The roots of the trees over the first 0 to 8 of [`vector_leaves`], as published with certificate transparency.
pub(super) const VECTOR_ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// The leaf hashes of the eight published leaves.
pub(super) fn vector_leaves() -> Vec<Digest32> {
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
        .map(|leaf| leaf_hash(&hex::decode(leaf).unwrap()))
        .to_vec()
}

pub(super) fn digest(text: &str) -> Digest32 {
    Digest32::try_from(text.to_owned()).unwrap()
}

/// Some leaves, each another.
pub(super) fn leaves(size: u64) -> Vec<Digest32> {
    (0..size).map(|at| leaf_hash(&at.to_be_bytes())).collect()
}

fn split(leaves: &[Digest32]) -> (&[Digest32], &[Digest32]) {
    let mut k = 1;
    while k * 2 < leaves.len() {
        k *= 2;
    }
    leaves.split_at(k)
}

/// `MTH`.
pub(super) fn root(leaves: &[Digest32]) -> Digest32 {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = split(leaves);
            node_hash(root(left), root(right))
        }
    }
}

/// `PATH`.
pub(super) fn path(index: usize, leaves: &[Digest32]) -> Vec<Digest32> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = split(leaves);
    let (mut path, sibling) = if index < left.len() {
        (path(index, left), root(right))
    } else {
        (path(index - left.len(), right), root(left))
    };
    path.push(sibling);
    path
}

/// `PROOF`, for a first tree that is neither empty nor larger than the second.
pub(super) fn proof(first: usize, leaves: &[Digest32], whole: bool) -> Vec<Digest32> {
    if first == leaves.len() {
        return if whole { Vec::new() } else { vec![root(leaves)] };
    }
    let (left, right) = split(leaves);
    let (mut hashes, sibling) = if first <= left.len() {
        (proof(first, left, whole), root(right))
    } else {
        (proof(first - left.len(), right, false), root(left))
    };
    hashes.push(sibling);
    hashes
}
