//! One bounded request.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use octocrab::{OctoBody, Octocrab};
use selfext_domain::ports::RestListener;
use serde::Serialize;
use tokio::time::Instant;

use crate::answer::Answer;
use crate::binding::{Binding, without_end};
use crate::credentials::{Credential, Credentials};
use crate::merge::AsyncSupport;
use crate::patience::{Patience, Waits};
use crate::publish::{EvidenceShown, GraphqlSupport};
use crate::redirect;
use crate::route::Route;
use crate::share::{Budget, Kind, Limited, Share};
use crate::timeouts::Timeouts;
use crate::transport::SendError;

/// The largest answer that is read.
pub(crate) const MAX_ANSWER: usize = 32 * 1024 * 1024;

/// How long a merge waits at most, for GitHub's limits and for what it needs first. It may be asked for again under its permit.
const MERGE_WAIT: Duration = Duration::from_secs(20);

/// The largest answer to a refused request that is read; GitHub's have a few hundred bytes.
const MAX_REFUSAL: usize = 256 * 1024;

/// Sends requests to one repository of one API. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) inner: Arc<Inner>,
    /// Who is told that a request of this client's rests.
    pub(crate) listener: Option<Arc<dyn RestListener>>,
}

pub(crate) struct Inner {
    pub(crate) octocrab: Octocrab,
    pub(crate) binding: Binding,
    pub(crate) credentials: Credentials,
    pub(crate) timeouts: Timeouts,
    pub(crate) patience: Patience,
    /// The pauses between two looks at the result of a merge in the background.
    pub(crate) merge_patience: Patience,
    pub(crate) budget: Budget,
    pub(crate) share: Arc<Share>,
    pub(crate) graphql: GraphqlSupport,
    pub(crate) asynchronous: AsyncSupport,
    pub(crate) evidence: EvidenceShown,
}

impl Client {
    /// A route that begins with a fixed part inside the repository.
    pub(crate) fn at(&self, fixed: &'static str) -> Route<'_> {
        self.inner.binding.told_place().at(fixed)
    }

    /// The route to the repository itself.
    pub(crate) fn repository_route(&self) -> Route<'_> {
        self.inner.binding.told_place().repository()
    }

    /// A route of the API that is not the repository's.
    pub(crate) fn beside(&self, fixed: &'static str) -> Route<'_> {
        self.inner.binding.told_place().beside(fixed)
    }

    /// The route to the GraphQL endpoint beside the API.
    pub(crate) fn graphql_route(&self) -> Route<'_> {
        self.inner.binding.told_place().graphql()
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

    /// The request that merges. What it needs first is had in time, or it is not sent: its permit has a deadline.
    pub(crate) async fn put_merge(&self, route: Route<'_>, body: &impl Serialize) -> Result<Answer, SendError> {
        let first = async {
            self.bound().await?;
            self.credential().await
        };
        let wait = self.inner.budget.max_wait.min(MERGE_WAIT);
        let had = tokio::time::timeout(wait, first).await.map_err(|_| {
            SendError::NotSent(format!("which repository it is, and a token, were not had within {} s", wait.as_secs()))
        })?;
        had.map_err(SendError::Before)?;
        self.send(MERGING, route, Some(json(body)?)).await
    }

    /// Sends a request to where the repository is, and again where GitHub says that it was renamed. On the heap: callers hold
    /// many of these at once.
    async fn send(&self, method: Method, route: Route<'_>, body: Option<Bytes>) -> Result<Answer, SendError> {
        Box::pin(self.send_there(method, route, body)).await
    }

    async fn send_there(&self, method: Method, route: Route<'_>, body: Option<Bytes>) -> Result<Answer, SendError> {
        let (mut bound, mut early) = match self.inner.binding.lately() {
            Some(bound) => (bound, None),
            // The first read goes beside the question which repository it is, and counts only if that has its answer.
            None if method == Method::GET => {
                let uri = self.here(&route)?;
                let (bound, answer) = tokio::join!(self.bound(), self.authorized(&method, &uri, None));
                (bound.map_err(SendError::Before)?, Some((uri, answer?)))
            }
            None => (self.bound().await.map_err(SendError::Before)?, None),
        };
        let mut uri = route.finish_at(&bound.place)?;
        for _ in 0..=redirect::MOST {
            let (asked, answer) = match early.take() {
                Some(early) => early,
                None => (uri.clone(), self.authorized(&method, &uri, body.clone()).await?),
            };
            let Some(target) = self.points_to(&asked, &answer)? else { return Ok(answer) };
            if target.repository.is_some() {
                // What was asked at the old place was not done: nothing that was answered so is repeated without need.
                if asked == uri {
                    bound = self.bound_anew(&bound, &target).await.map_err(SendError::Before)?;
                }
                uri = route.finish_at(&bound.place)?;
            } else if method == Method::GET || target.keeps_method {
                uri = target.uri;
            } else {
                let status = answer.status.as_u16();
                return Err(SendError::Elsewhere(format!("a write was answered with {status}, which is not followed")));
            }
        }
        Err(without_end())
    }

    /// One request with this client's credential, and once more with another one if GitHub does not take that any more: what
    /// GitHub itself did not authorise it did not do. What a proxy says tells nothing, and stays as it is.
    async fn authorized(&self, method: &Method, uri: &Uri, body: Option<Bytes>) -> Result<Answer, SendError> {
        let credential = self.credential().await.map_err(SendError::Before)?;
        let answer = self.exchange(method, uri, &credential, body.clone()).await?;
        if !answer.is_refused_credential() {
            return Ok(answer);
        }
        match self.instead_of(&credential).await.map_err(SendError::Before)? {
            Some(other) => self.exchange(method, uri, &other, body).await,
            None => Ok(answer),
        }
    }

    /// One request in its turn; and again, before those behind it, after the end of a limit that GitHub refused it for, since such
    /// a request was not obeyed. A merge is sent once.
    pub(crate) async fn exchange(
        &self,
        method: &Method,
        uri: &Uri,
        credential: &Credential,
        body: Option<Bytes>,
    ) -> Result<Answer, SendError> {
        let (limiter, budget) = (&self.inner.share.limiter, &self.inner.budget);
        let kind = if *method == Method::GET { Kind::Read } else { Kind::Write };
        let merging = *method == MERGING;
        let wait = if merging { budget.max_wait.min(MERGE_WAIT) } else { budget.max_wait };
        let deadline = Instant::now() + wait;
        let limited = |Limited { retry_after }| SendError::Limited(retry_after);
        let turn = self.resting(deadline, limiter.turn(kind, budget, deadline)).await.map_err(limited)?;
        loop {
            let answer = self.exchange_now(method, uri, credential, body.clone()).await?;
            limiter.learn(&answer, budget);
            let passes = limiter.limited_for().is_some_and(|left| Instant::now() + left <= deadline);
            if merging || answer.asked_wait().is_none() || !passes {
                return Ok(answer);
            }
            self.resting(deadline, limiter.again(&turn, budget, deadline)).await.map_err(limited)?;
        }
    }

    /// One request, with a limit on its time. A read whose answer is known says so, and gets that one if it is still true.
    async fn exchange_now(
        &self,
        method: &Method,
        uri: &Uri,
        credential: &Credential,
        body: Option<Bytes>,
    ) -> Result<Answer, SendError> {
        let answers = &self.inner.share.answers;
        let (reads, url) = (*method == Method::GET, uri.to_string());
        let known = if reads { answers.tag(&url) } else { None };
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header(ACCEPT, "application/vnd.github+json")
            .header("x-github-api-version", "2022-11-28")
            .header(AUTHORIZATION, credential.header.clone());
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(tag) = &known {
            request = request.header(IF_NONE_MATCH, tag.clone());
        }
        let limit = self.inner.timeouts.whole(body.as_ref().map_or(0, Bytes::len));
        let body = body.map_or_else(OctoBody::empty, |bytes| OctoBody::new(Full::new(bytes)));
        let request =
            request.body(body).map_err(|_| SendError::NotSent("the request could not be built".to_owned()))?;
        let mut answer = match tokio::time::timeout(limit, self.transfer(request)).await {
            Ok(answer) => answer?,
            Err(_) => return Err(SendError::Lost(format!("it took longer than {} ms", limit.as_millis()))),
        };
        answer.body = credential.token.remove_from(self.inner.credentials.remove_from(answer.body));
        match (answer.status, known, answer.headers.get(ETAG)) {
            (StatusCode::NOT_MODIFIED, Some(tag), _) => {
                // It may have made room meanwhile; then this answer is as good as lost.
                let body = answers.body(&url, &tag);
                answer.body = body.ok_or_else(|| SendError::Lost("what it repeats is not at hand".to_owned()))?;
                answer.status = StatusCode::OK;
            }
            (StatusCode::OK, _, Some(tag)) if reads => answers.keep(&url, tag, &answer.body),
            _ => {}
        }
        Ok(answer)
    }

    async fn transfer(&self, request: Request<OctoBody>) -> Result<Answer, SendError> {
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
        Ok(Answer { status: parts.status, headers: parts.headers, body: bytes })
    }
}

/// An answer that began and broke off: whatever the cause, the request had arrived.
fn lost(error: &octocrab::Error) -> SendError {
    match SendError::from_client(error) {
        SendError::NotSent(said) => SendError::Lost(said),
        other => other,
    }
}

pub(crate) fn json(body: &impl Serialize) -> Result<Bytes, SendError> {
    serde_json::to_vec(body)
        .map(Bytes::from)
        .map_err(|_| SendError::NotSent("the request could not be written as JSON".to_owned()))
}

/// The method of the request that merges, and of no other one.
const MERGING: Method = Method::PUT;

/// The status that says that something was made.
pub(crate) const CREATED: StatusCode = StatusCode::CREATED;
