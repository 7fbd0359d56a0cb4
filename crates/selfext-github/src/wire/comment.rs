//! Comments.

use serde::{Deserialize, Serialize};

/// A comment to be written.
#[derive(Serialize)]
pub(crate) struct NewComment<'a> {
    pub(crate) body: &'a str,
}

/// A comment as GitHub gives it.
#[derive(Deserialize)]
pub(crate) struct CommentBody {
    body: Option<String>,
}

impl CommentBody {
    /// Whether it says this. GitHub may end lines in its own way.
    pub(crate) fn says(&self, text: &str) -> bool {
        self.body.as_ref().is_some_and(|body| body.trim_end().lines().eq(text.trim_end().lines()))
    }
}
