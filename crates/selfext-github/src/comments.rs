//! Comments on pull requests, which GitHub keeps as those of issues.

use http::StatusCode;
use selfext_domain::PullRequestNumber;
use selfext_domain::ports::ForgeError;

use crate::client::Client;
use crate::wire::{CommentBody, NewComment};

/// How many comments are read at once; GitHub's most.
const PER_PAGE: usize = 100;

impl Client {
    /// Adds a comment, unless it is there. GitHub has none by an id of the client's, so they are looked through; one whose
    /// answer was lost is found the next time.
    pub(crate) async fn comment(&self, number: PullRequestNumber, text: &str) -> Result<(), ForgeError> {
        let what = format!("pull request {number}");
        for page in 1_u32.. {
            let route = self
                .at("issues")
                .pull_request(number)
                .then("comments")
                .query("per_page", &PER_PAGE.to_string())
                .query("page", &page.to_string());
            let comments: Vec<CommentBody> = self.get(route).await?.expect(StatusCode::OK, &what)?;
            if comments.iter().any(|comment| comment.says(text)) {
                return Ok(());
            }
            if comments.len() < PER_PAGE {
                break;
            }
        }
        let route = self.at("issues").pull_request(number).then("comments");
        let written: CommentBody =
            self.post(route, &NewComment { body: text }).await?.expect(StatusCode::CREATED, &what)?;
        if written.says(text) { Ok(()) } else { Err(ForgeError::Unreadable("another comment was written".to_owned())) }
    }
}
