//! One bounded request.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use octocrab::{OctoBody, Octocrab};
use selfext_domain::RepositoryName;
use serde::Serialize;
use tokio::time::Instant;

use crate::answer::Answer;
use crate::identity::Identity;
use crate::patience::{Patience, Waits};
use crate::publish::GraphqlSupport;
use crate::route::{Place, Route};
use crate::share::{Budget, Kind, Limited, Share};
use crate::timeouts::Timeouts;
use crate::token::SecretToken;
use crate::transport::SendError;

/// The largest answer that is read.
pub(crate) const MAX_ANSWER: usize = 32 * 1024 * 1024;

/// How long a merge waits for GitHub's limits, at most: its permit has a deadline. It may be asked for again under it.
const MERGE_WAIT: Duration = Duration::from_secs(20);

/// The largest answer to a refused request that is read; GitHub's have a few hundred bytes.
const MAX_REFUSAL: usize = 256 * 1024;

/// Sends requests to one repository of one API. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) octocrab: Octocrab,
    pub(crate) repository: RepositoryName,
    pub(crate) place: Place,
    pub(crate) token: SecretToken,
    pub(crate) authorization: HeaderValue,
    pub(crate) timeouts: Timeouts,
    pub(crate) patience: Patience,
    pub(crate) budget: Budget,
    pub(crate) share: Arc<Share>,
    pub(crate) identity: Identity,
    pub(crate) graphql: GraphqlSupport,
}

impl Client {
    pub(crate) fn repository(&self) -> &RepositoryName {
        &self.inner.repository
    }

    /// A route that begins with a fixed part inside the repository.
    pub(crate) fn at(&self, fixed: &'static str) -> Route<'_> {
        self.inner.place.at(fixed)
    }

    /// The route to the repository itself.
    pub(crate) fn repository_route(&self) -> Route<'_> {
        self.inner.place.repository()
    }

    /// The route to the GraphQL endpoint beside the API.
    pub(crate) fn graphql_route(&self) -> Route<'_> {
        self.inner.place.graphql()
    }

    pub(crate) fn waits(&self) -> Waits<'_> {
        self.inner.patience.begin()
    }

    pub(crate) async fn get(&self, route: Route<'_>) -> Result<Answer, SendError> {
        self.send(Method::GET, route, None).await
    }

    pub(crate) async fn delete(&self, route: Route<'_>) -> Result<Answer, SendError> {
        self.send(Method::DELETE, route, None).await
    }

    pub(crate) async fn post(&self, route: Route<'_>, body: &impl Serialize) -> Result<Answer, SendError> {
        self.send(Method::POST, route, Some(json(body)?)).await
    }

    pub(crate) async fn patch(&self, route: Route<'_>, body: &impl Serialize) -> Result<Answer, SendError> {
        self.send(Method::PATCH, route, Some(json(body)?)).await
    }

    /// The request that merges; sent once.
    pub(crate) async fn put_merge(&self, route: Route<'_>, body: &impl Serialize) -> Result<Answer, SendError> {
        let deadline = Instant::now() + self.inner.budget.max_wait.min(MERGE_WAIT);
        self.send_in_turn(&Sending { method: Method::PUT, uri: route.finish()?, body: Some(json(body)?) }, deadline)
            .await
    }

    /// Sends a request, and sends it again after the end of a limit that GitHub refused it for: such a request was not
    /// obeyed.
    async fn send(&self, method: Method, route: Route<'_>, body: Option<Bytes>) -> Result<Answer, SendError> {
        let sending = Sending { method, uri: route.finish()?, body };
        let deadline = Instant::now() + self.inner.budget.max_wait;
        loop {
            let answer = self.send_in_turn(&sending, deadline).await?;
            match answer.asked_wait() {
                Some(_) if self.limited_until().is_some_and(|until| until <= deadline) => {}
                _ => return Ok(answer),
            }
        }
    }

    fn limited_until(&self) -> Option<Instant> {
        Some(Instant::now() + self.inner.share.limiter.limited_for()?)
    }

    async fn send_in_turn(&self, sending: &Sending, deadline: Instant) -> Result<Answer, SendError> {
        let (limiter, budget) = (&self.inner.share.limiter, &self.inner.budget);
        let kind = if sending.method == Method::GET { Kind::Read } else { Kind::Write };
        let turn = limiter.turn(kind, budget, deadline).await;
        let _turn = turn.map_err(|Limited { retry_after }| SendError::Limited(retry_after))?;
        let answer = self.send_now(sending).await?;
        limiter.learn(&answer, budget);
        Ok(answer)
    }

    async fn send_now(&self, sending: &Sending) -> Result<Answer, SendError> {
        let answers = &self.inner.share.answers;
        let url = sending.uri.to_string();
        let known = if sending.method == Method::GET { answers.tag(&url) } else { None };
        let mut request = Request::builder()
            .method(sending.method.clone())
            .uri(sending.uri.clone())
            .header(ACCEPT, "application/vnd.github+json")
            .header("x-github-api-version", "2022-11-28")
            .header(AUTHORIZATION, self.inner.authorization.clone());
        if sending.body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(tag) = &known {
            request = request.header(IF_NONE_MATCH, tag.clone());
        }
        let body = sending.body.clone().map_or_else(OctoBody::empty, |bytes| OctoBody::new(Full::from(bytes)));
        let request =
            request.body(body).map_err(|_| SendError::NotSent("the request could not be built".to_owned()))?;
        let limit = self.inner.timeouts.whole(sending.body.as_ref().map_or(0, Bytes::len));
        let mut answer = match tokio::time::timeout(limit, self.exchange(request)).await {
            Ok(answer) => answer?,
            Err(_) => return Err(SendError::Lost(format!("it took longer than {} ms", limit.as_millis()))),
        };
        if sending.method == Method::GET {
            match (answer.status, known, answer.headers.get(ETAG)) {
                (StatusCode::NOT_MODIFIED, Some(tag), _) => {
                    // It can have made room meanwhile; then the answer is as good as lost, and is asked for again by whoever does.
                    let body = answers.body(&url, &tag);
                    answer.body = body.ok_or_else(|| SendError::Lost("what it repeats is not at hand".to_owned()))?;
                    answer.status = StatusCode::OK;
                }
                (StatusCode::OK, _, Some(tag)) => answers.keep(&url, tag, &answer.body),
                _ => {}
            }
        }
        Ok(answer)
    }

    async fn exchange(&self, request: Request<OctoBody>) -> Result<Answer, SendError> {
        let response = self.inner.octocrab.send(request).await.map_err(|error| SendError::from_client(&error))?;
        let (parts, mut body) = response.into_parts();
        let limit = if parts.status.is_success() { MAX_ANSWER } else { MAX_REFUSAL };
        let mut bytes = Vec::new();
        // octocrab's own read timeout also counts the time that a kept connection was idle, and would end the next request
        // on it early: hence one here.
        let wait = self.inner.timeouts.read;
        while let Some(frame) = tokio::time::timeout(wait, body.frame())
            .await
            .map_err(|_| SendError::Lost(format!("nothing more came for {} ms", wait.as_millis())))?
        {
            let frame = frame.map_err(|error| lost(&error))?;
            if let Some(data) = frame.data_ref() {
                if bytes.len() + data.len() > limit {
                    return Err(SendError::TooLarge(limit));
                }
                bytes.extend_from_slice(data);
            }
        }
        let body = self.inner.token.remove_from(bytes);
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }
}

/// One request, which may be sent more than once.
struct Sending {
    method: Method,
    uri: Uri,
    body: Option<Bytes>,
}

/// An answer that began and broke off: whatever the cause, the request had arrived.
fn lost(error: &octocrab::Error) -> SendError {
    match SendError::from_client(error) {
        SendError::NotSent(said) => SendError::Lost(said),
        other => other,
    }
}

fn json(body: &impl Serialize) -> Result<Bytes, SendError> {
    serde_json::to_vec(body)
        .map(Bytes::from)
        .map_err(|_| SendError::NotSent("the request could not be written as JSON".to_owned()))
}

/// The status that says that something was made.
pub(crate) const CREATED: StatusCode = StatusCode::CREATED;
