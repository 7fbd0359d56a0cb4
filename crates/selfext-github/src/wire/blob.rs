//! Blobs.

use serde::{Deserialize, Serialize};

/// A blob to be made.
#[derive(Serialize)]
pub(crate) struct NewBlob {
    pub(crate) content: String,
    pub(crate) encoding: &'static str,
}

/// A blob that was made.
#[derive(Deserialize)]
pub(crate) struct WrittenBlob {
    pub(crate) sha: String,
}
