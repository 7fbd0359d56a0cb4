//! The reviews of a pull request, and whose word counts.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use http::StatusCode;
use selfext_domain::ports::ForgeError;
use selfext_domain::{CommitSha, PullRequestNumber, Review, ReviewState};

use crate::client::Client;
use crate::wire::{Permission, ReviewBody};

/// How many reviews a page has; GitHub's most.
const PER_PAGE: usize = 100;

/// How many pages of reviews are read at most.
const MAX_PAGES: usize = 30;

/// How many people are asked about at the same time.
const AT_ONCE: usize = 4;

impl Client {
    /// All reviews, oldest first. Whose word counts is looked up for those that would decide something: an approval of another
    /// commit than `head` does not. That nobody approves their own pull request is left to whoever knows its author.
    pub(crate) async fn reviews(&self, number: PullRequestNumber, head: &CommitSha) -> Result<Vec<Review>, ForgeError> {
        let bodies = self.review_bodies(number).await?;
        let may_decide = |body: &&ReviewBody| match body.state() {
            ReviewState::Approved => body.commit_id.as_ref() == Some(head),
            ReviewState::ChangesRequested => true,
            ReviewState::Dismissed | ReviewState::Other => false,
        };
        let people: BTreeSet<String> = bodies
            .iter()
            .filter(may_decide)
            .filter_map(|body| body.user.as_ref())
            .filter(|user| user.is_person())
            .map(|user| user.login.clone())
            .collect();
        let asked = people.into_iter().map(|login| async move {
            let may = self.may_write(&login).await?;
            Ok::<_, ForgeError>((login, may))
        });
        let may_write: BTreeMap<String, bool> = stream::iter(asked).buffer_unordered(AT_ONCE).try_collect().await?;
        let reviews = bodies.into_iter().map(|body| {
            let state = body.state();
            let reviewer = body.user.map(|user| user.login).unwrap_or_default();
            let counts = may_write.get(&reviewer).copied().unwrap_or(false);
            Review { reviewer, state, commit: body.commit_id, counts }
        });
        Ok(reviews.collect())
    }

    async fn review_bodies(&self, number: PullRequestNumber) -> Result<Vec<ReviewBody>, ForgeError> {
        let mut all: Vec<ReviewBody> = Vec::new();
        for page in 1..=MAX_PAGES {
            let route = self.at("pulls").pull_request(number).then("reviews");
            let route = route.query("per_page", &PER_PAGE.to_string()).query("page", &page.to_string());
            let found: Vec<ReviewBody> =
                self.get(route).await?.expect(StatusCode::OK, &format!("the reviews of pull request {number}"))?;
            let last = found.len() < PER_PAGE;
            all.extend(found);
            if last {
                // A review that was given meanwhile moved none of the others: they come in their order.
                all.sort_by_key(|review| review.id);
                all.dedup_by_key(|review| review.id);
                return Ok(all);
            }
        }
        Err(ForgeError::Unreadable(format!("there are too many reviews of pull request {number} to judge")))
    }

    async fn may_write(&self, login: &str) -> Result<bool, ForgeError> {
        let answer = self.get(self.at("collaborators").named(login).then("permission")).await?;
        if answer.is(StatusCode::NOT_FOUND) {
            return Ok(false);
        }
        Ok(answer.expect::<Permission>(StatusCode::OK, "a reviewer's rights")?.may_write())
    }
}
