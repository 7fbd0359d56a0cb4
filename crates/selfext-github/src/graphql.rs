//! Questions and mutations in GraphQL.

use http::StatusCode;
use selfext_domain::ports::ForgeError;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::answer::Answer;
use crate::client::Client;
use crate::rate_limit::{AskedWait, asked_wait};
use crate::wire::{GraphqlAnswer, GraphqlError, GraphqlRequest};

/// What GraphQL said: GitHub carries out what it can, and tells what failed beside it.
pub(crate) struct Said<T> {
    pub(crate) data: Option<T>,
    pub(crate) errors: Vec<GraphqlError>,
}

impl<T> Said<T> {
    /// The data, if nothing failed.
    pub(crate) fn whole(self) -> Option<T> {
        self.data.filter(|_| self.errors.is_empty())
    }

    /// What failed first, in words.
    pub(crate) fn failure(&self) -> Option<String> {
        self.errors.first().map(GraphqlError::words)
    }
}

impl Client {
    /// Asks a question. `what` names what it is about, for people.
    pub(crate) async fn ask_graphql<T: DeserializeOwned>(
        &self,
        query: &'static str,
        variables: impl Serialize,
        what: &str,
    ) -> Result<Said<T>, ForgeError> {
        let answer = self.post(self.graphql_route(), &GraphqlRequest { query, variables }).await?;
        self.read_graphql(&answer, what)
    }

    /// Reads an answer, and learns from it where it is about a limit.
    pub(crate) fn read_graphql<T: DeserializeOwned>(&self, answer: &Answer, what: &str) -> Result<Said<T>, ForgeError> {
        if !answer.is(StatusCode::OK) {
            return Err(answer.error(&format!("GraphQL, which tells of {what}")));
        }
        let read: GraphqlAnswer<T> = answer.decode(what)?;
        self.heed_limit(answer, read)
    }

    /// What an answer says, unless it says that there was too much: with the status 200, and otherwise as by the statuses of limits.
    pub(crate) fn heed_limit<T>(&self, answer: &Answer, read: GraphqlAnswer<T>) -> Result<Said<T>, ForgeError> {
        let errors = read.errors.unwrap_or_default();
        if errors.iter().any(GraphqlError::is_limit) {
            let wait = asked_wait(StatusCode::TOO_MANY_REQUESTS, &answer.headers, "").unwrap_or(AskedWait::UNSAID);
            self.inner.share.limiter.limit(wait);
            return Err(ForgeError::RateLimited { retry_after: wait.time });
        }
        Ok(Said { data: read.data, errors })
    }
}
