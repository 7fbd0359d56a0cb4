//! The merge queue: putting a pull request in, looking for it, taking it out.

use http::StatusCode;
use selfext_domain::ports::{ForgeError, QueueEntry};
use selfext_domain::{PermitTerms, PullRequestNumber, Reason};

use super::{Verdict, unsent};
use crate::client::Client;
use crate::message::clean;
use crate::wire::{
    DEQUEUE, DequeueInput, ENQUEUE, EnqueueInput, EnqueuedData, GraphqlRequest, Input, QUEUED, QueuedData, QueuedPull,
    QueuedVariables,
};

impl Client {
    /// A pull request's place in the queue.
    pub(crate) async fn queue_entry(&self, number: PullRequestNumber) -> Result<Option<QueueEntry>, ForgeError> {
        let entry = self.queued(number).await?.merge_queue_entry;
        Ok(entry
            .map(|entry| QueueEntry { position: entry.position, commit: entry.head_commit.map(|commit| commit.oid) }))
    }

    /// Takes a pull request out. It is out when it is seen to be.
    pub(crate) async fn leave_queue(&self, number: PullRequestNumber) -> Result<(), ForgeError> {
        let mut waits = self.waits();
        let mut refused = None;
        loop {
            let pull = self.queued(number).await?;
            if pull.merge_queue_entry.is_none() {
                return Ok(());
            }
            // Of two that take it out one is refused: the next look tells.
            let input = Input { input: DequeueInput { id: &pull.id } };
            let said = self.ask_graphql::<serde::de::IgnoredAny>(DEQUEUE, input, "the merge queue").await?;
            refused = said.failure().or(refused);
            if !waits.again("left queue").await {
                let said = refused.unwrap_or_else(|| "it is still in it".to_owned());
                return Err(ForgeError::Refused(format!(
                    "pull request {number} does not leave the merge queue: {said}"
                )));
            }
        }
    }

    /// Puts a pull request in, bound to the permit's head. One that stands there already is not put there again.
    pub(super) async fn ask_queue(&self, terms: &PermitTerms) -> Verdict {
        let pull = match self.queued(terms.pull_request).await {
            Ok(pull) => pull,
            // Nothing was asked for yet.
            Err(error) => return unsent(crate::transport::SendError::Before(error)),
        };
        if let Some(verdict) = stands(terms, &pull) {
            return verdict;
        }
        let input = Input { input: EnqueueInput { pull_request_id: &pull.id, expected_head_oid: &terms.head } };
        let answer = match self.post(self.graphql_route(), &GraphqlRequest { query: ENQUEUE, variables: input }).await {
            Ok(answer) if answer.is(StatusCode::OK) => answer,
            Ok(answer) => return self.judge(terms, &answer).await,
            Err(error) => return unsent(error),
        };
        match self.read_graphql::<EnqueuedData>(&answer, "the merge queue") {
            Err(ForgeError::RateLimited { .. }) => Verdict::MayPass("GitHub's limits ask to wait".to_owned()),
            Err(error) => Verdict::InDoubt(error.to_string()),
            Ok(said) => match (said.failure(), said.data) {
                (Some(failure), _) => self.judge_refused_entry(terms, failure).await,
                (None, Some(data)) if data.is_in() => Verdict::Enqueued,
                (None, _) => Verdict::InDoubt("200, but it does not say that it is in the queue".to_owned()),
            },
        }
    }

    /// A refusal may be of one that another request, or another process, put there before.
    async fn judge_refused_entry(&self, terms: &PermitTerms, said: String) -> Verdict {
        match self.queued(terms.pull_request).await {
            Ok(pull) => match stands(terms, &pull) {
                Some(verdict) => verdict,
                None => self.judge_not_allowed(terms, said).await,
            },
            Err(error) => Verdict::InDoubt(format!("{said}, and reading back: {error}")),
        }
    }

    async fn queued(&self, number: PullRequestNumber) -> Result<QueuedPull, ForgeError> {
        let bound = self.bound().await?;
        let variables = QueuedVariables { owner: bound.name.owner(), name: bound.name.name(), number: number.get() };
        let said = self.ask_graphql::<QueuedData>(QUEUED, variables, "the merge queue").await?;
        let failure = said.failure();
        let repository = said.data.and_then(|data| data.repository);
        // A name may have come to be another repository's a moment ago.
        let repository = repository.filter(|repository| repository.id == bound.node_id);
        let pull = repository.and_then(|repository| repository.pull_request);
        pull.filter(|_| failure.is_none()).ok_or_else(|| match failure {
            Some(failure) => ForgeError::Refused(format!("GitHub does not show the merge queue: {failure}")),
            None => ForgeError::NotFound(format!("pull request {number}")),
        })
    }
}

/// What a pull request's standing says about the merge, where there is nothing left to ask for.
fn stands(terms: &PermitTerms, pull: &QueuedPull) -> Option<Verdict> {
    let said = clean(&format!("it is {} at {}", pull.state.to_ascii_lowercase(), pull.head_ref_oid));
    match (pull.state.as_str(), &pull.merge_commit) {
        ("MERGED", _) if pull.head_ref_oid != terms.head => Some(Verdict::Refused(Reason::MergedElsewhere, said)),
        ("MERGED", Some(commit)) => Some(Verdict::Merged(commit.oid.clone())),
        ("MERGED", None) => Some(Verdict::InDoubt(format!("{said}, as an unknown commit"))),
        ("CLOSED", _) => Some(Verdict::Refused(Reason::PullRequestClosed, said)),
        _ if pull.head_ref_oid != terms.head => Some(Verdict::Refused(Reason::HeadMoved, said)),
        _ if pull.merge_queue_entry.is_some() => Some(Verdict::Enqueued),
        _ => None,
    }
}
