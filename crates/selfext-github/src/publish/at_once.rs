//! Branch, commit and pull request in one request.

use std::sync::atomic::{AtomicBool, Ordering};

use http::StatusCode;
use selfext_domain::PullRequestNumber;
use selfext_domain::ports::{ForgeError, Publication, Published};

use super::file_changes::{commit_message, file_changes};
use crate::answer::Answer;
use crate::client::Client;
use crate::message::clean;
use crate::wire::{
    CommittableBranch, CreateCommitOnBranch, CreatePullRequest, CreateRef, GraphqlAnswer, GraphqlRequest, MadeCommit,
    OpenedPullRequest, PUBLISH, PublishData, PublishVariables,
};

/// Whether the server speaks GraphQL, as far as it has said.
#[derive(Debug, Default)]
pub(crate) struct GraphqlSupport {
    missing: AtomicBool,
}

/// What came of publishing in one request.
pub(super) enum AtOnce {
    /// Everything is there, and it is exactly what was asked for.
    Done(Published),
    /// It was not tried, or not everything is there, or not as it should be: the other way takes over what is there.
    NotDone {
        /// The pull request that was opened nevertheless.
        opened: Option<PullRequestNumber>,
    },
}

impl AtOnce {
    const NOT_TRIED: Self = Self::NotDone { opened: None };
}

impl Client {
    /// Publishes by one mutation, where nothing is believed to be there yet and it can make exactly the tested commit.
    ///
    /// An answer that was lost, or is a limit, ends the publication: it may be repeated. Every other answer but the good one
    /// says to go the other way, because a failed field leaves what the fields before it did.
    pub(super) async fn publish_at_once(&self, publication: &Publication) -> Result<AtOnce, ForgeError> {
        let support = &self.inner.graphql;
        if !publication.fresh || support.missing.load(Ordering::Relaxed) {
            return Ok(AtOnce::NOT_TRIED);
        }
        let parts = file_changes(&publication.candidate).zip(commit_message(&publication.commit_message));
        let Some((file_changes, message)) = parts else {
            return Ok(AtOnce::NOT_TRIED);
        };
        let bound = match self.bound().await {
            Ok(bound) => bound,
            Err(limited @ ForgeError::RateLimited { .. }) => return Err(limited),
            Err(_) => return Ok(AtOnce::NOT_TRIED),
        };
        let (branch, base) = (publication.branch.as_str(), &publication.candidate.base);
        let repository_id = bound.node_id.as_str();
        let variables = PublishVariables {
            branch: CreateRef { repository_id, name: format!("refs/heads/{branch}"), oid: base },
            commit: CreateCommitOnBranch {
                branch: CommittableBranch { repository_name_with_owner: bound.name.as_str(), branch_name: branch },
                expected_head_oid: base,
                message,
                file_changes,
            },
            pull: CreatePullRequest {
                repository_id,
                base_ref_name: publication.base.as_str(),
                head_ref_name: branch,
                title: &publication.title,
                body: &publication.body,
            },
        };
        let answer = self.post(self.graphql_route(), &GraphqlRequest { query: PUBLISH, variables }).await?;
        self.read_mutation(publication, &answer)
    }

    fn read_mutation(&self, publication: &Publication, answer: &Answer) -> Result<AtOnce, ForgeError> {
        if answer.asked_wait().is_some() {
            return Err(answer.error("repository"));
        }
        match answer.status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::GONE | StatusCode::NOT_IMPLEMENTED => {
                return Ok(self.without_graphql("the server has no GraphQL"));
            }
            StatusCode::UNAUTHORIZED | StatusCode::REQUEST_TIMEOUT => return Err(answer.error("repository")),
            status if status.is_server_error() => return Err(answer.error("repository")),
            _ => return Ok(other_way(None, &answer.message())),
        }
        let Ok(read) = answer.decode::<GraphqlAnswer<PublishData>>("the mutation") else {
            // A page for people is what stands at that place; anything else may be a mishap.
            let page = answer.body.trim_ascii_start().starts_with(b"<");
            let why = "the answer is not as GraphQL's are";
            return Ok(if page { self.without_graphql(why) } else { other_way(None, why) });
        };
        let said = self.heed_limit(answer, read)?;
        let failure = said.failure();
        let (commit, pull) = said.data.map_or((None, None), PublishData::into_parts);
        let opened = pull.as_ref().map(|pull| pull.number);
        Ok(match (failure, commit, pull) {
            (None, Some(commit), Some(pull)) if is_as_asked(publication, &commit) => {
                AtOnce::Done(published(commit, &pull))
            }
            (None, Some(_), _) => other_way(opened, "GitHub made another commit than the one that was tested"),
            (None, ..) => other_way(opened, "a part of the answer is missing"),
            (Some(failure), ..) => other_way(opened, &failure),
        })
    }

    fn without_graphql(&self, why: &str) -> AtOnce {
        self.inner.graphql.missing.store(true, Ordering::Relaxed);
        other_way(None, why)
    }
}

fn other_way(opened: Option<PullRequestNumber>, why: &str) -> AtOnce {
    tracing::debug!(why, "publishing step by step");
    AtOnce::NotDone { opened }
}

/// Whether the commit is the tested tree on its base, and says what it should; GitHub may drop white space at the end.
fn is_as_asked(publication: &Publication, commit: &MadeCommit) -> bool {
    let candidate = &publication.candidate;
    commit.tree.oid == candidate.tree
        && commit.parents().eq([&candidate.base])
        && commit.message.trim_end() == publication.commit_message.trim_end()
}

fn published(commit: MadeCommit, pull: &OpenedPullRequest) -> Published {
    Published { pull_request: pull.number, url: clean(&pull.url), head: commit.oid }
}
