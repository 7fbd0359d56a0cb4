//! Who is in a team.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use http::StatusCode;
use selfext_domain::TeamName;
use selfext_domain::ports::ForgeError;

use crate::client::Client;
use crate::rate_limit::{AskedWait, asked_wait};
use crate::wire::{GraphqlAnswer, GraphqlError, GraphqlRequest, MEMBERS, MembersData, MembersVariables};

/// How many people are asked about at the same time.
const AT_ONCE: usize = 4;

impl Client {
    /// One request for each login.
    pub(crate) async fn members_among(&self, team: &TeamName, logins: &[String]) -> Result<Vec<String>, ForgeError> {
        let asked = logins.iter().cloned().map(|login| async move {
            let member = self.is_member(team, &login).await?;
            Ok::<_, ForgeError>(member.then_some(login))
        });
        let members: Vec<Option<String>> = stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
        Ok(members.into_iter().flatten().collect())
    }

    async fn is_member(&self, team: &TeamName, login: &str) -> Result<bool, ForgeError> {
        let variables = MembersVariables { organization: team.organization(), team: team.slug(), login };
        let answer = self.post(self.graphql_route(), &GraphqlRequest { query: MEMBERS, variables }).await?;
        if !answer.is(StatusCode::OK) {
            return Err(answer.error("server's GraphQL, which tells who is in a team"));
        }
        let read: GraphqlAnswer<MembersData> = answer.decode("a team")?;
        let errors = read.errors.unwrap_or_default();
        if errors.iter().any(GraphqlError::is_limit) {
            let wait = asked_wait(StatusCode::TOO_MANY_REQUESTS, &answer.headers, "").unwrap_or(AskedWait::UNSAID);
            self.inner.share.limiter.limit(wait);
            return Err(ForgeError::RateLimited { retry_after: wait.time });
        }
        let members = read.data.filter(|_| errors.is_empty()).and_then(MembersData::logins);
        let members = members.ok_or_else(|| {
            let said = errors.first().map_or_else(|| "it shows no such team".to_owned(), GraphqlError::words);
            ForgeError::Refused(format!(
                "GitHub does not show the team {team} ({said}). Check its name, and that the token may read the organization's \
                 members: the scope read:org, or \"Members: read\" of a fine-grained token or an App"
            ))
        })?;
        Ok(members.iter().any(|member| member.eq_ignore_ascii_case(login)))
    }
}
