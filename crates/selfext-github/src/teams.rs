//! Who is in a team.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use selfext_domain::TeamName;
use selfext_domain::ports::ForgeError;

use crate::client::Client;
use crate::wire::{MEMBERS, MembersData, MembersVariables};

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
        let said = self.ask_graphql::<MembersData>(MEMBERS, variables, "who is in a team").await?;
        let failure = said.failure().unwrap_or_else(|| "it shows no such team".to_owned());
        let members = said.whole().and_then(MembersData::logins).ok_or_else(|| {
            ForgeError::Refused(format!(
                "GitHub does not show the team {team} ({failure}). Check its name, and that the token may read the organization's \
                 members: the scope read:org, or \"Members: read\" of a fine-grained token or an App"
            ))
        })?;
        Ok(members.iter().any(|member| member.eq_ignore_ascii_case(login)))
    }
}
