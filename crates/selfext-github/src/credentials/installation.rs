//! The tokens of an App's installation: asked for, renewed before they end, and once more when GitHub refuses one.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use http::header::DATE;
use http::{HeaderMap, Method, StatusCode};
use selfext_domain::ports::{Clock, ForgeError};

use super::Credential;
use super::app::GithubApp;
use super::jwt;
use super::permissions::{to_ask_for, writes_checks};
use crate::answer::Answer;
use crate::client::Client;
use crate::message::clean;
use crate::token::SecretToken;
use crate::wire::{InstallationBody, IssuedToken, NewToken, WhichApp};

/// How long before its end a token is renewed: longer than any one request may take.
const MARGIN: TimeDelta = TimeDelta::minutes(5);

/// An App, as it is installed where one client's repository is.
pub(crate) struct Installation {
    app: GithubApp,
    clock: Arc<dyn Clock>,
    /// Held by whoever renews; the others wait for the new token. What was found stays until GitHub does not know it any more.
    found: tokio::sync::Mutex<Option<Found>>,
    current: RwLock<Option<Issued>>,
    /// The App's id, if its tokens may make check runs as far as is known.
    checks_as: RwLock<Option<u64>>,
}

/// An installation, and what it was given.
#[derive(Clone)]
struct Found {
    installation: u64,
    app: Option<u64>,
    permissions: BTreeMap<String, String>,
    /// The repository's id, where GitHub said it while it was looked for.
    repository: Option<u64>,
}

/// A token with its times, by this machine's clock.
#[derive(Clone)]
struct Issued {
    credential: Arc<Credential>,
    renewed_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
}

impl Installation {
    pub(crate) fn new(app: GithubApp, clock: Arc<dyn Clock>) -> Self {
        Self {
            app,
            clock,
            found: tokio::sync::Mutex::new(None),
            current: RwLock::default(),
            checks_as: RwLock::default(),
        }
    }

    /// The token for the next request. Near its end it is renewed first; if that fails for the moment, the old one does until
    /// it ends.
    pub(super) async fn credential(&self, client: &Client) -> Result<Arc<Credential>, ForgeError> {
        if let Some(fresh) = self.fresh() {
            return Ok(fresh);
        }
        let mut found = self.found.lock().await;
        if let Some(fresh) = self.fresh() {
            return Ok(fresh);
        }
        let renewed = self.renew(client, &mut found).await;
        match (renewed, self.current()) {
            (Err(ForgeError::Unavailable(_) | ForgeError::RateLimited { .. }), Some(old))
                if self.clock.now() < old.ends_at =>
            {
                Ok(old.credential)
            }
            (renewed, _) => renewed,
        }
    }

    /// A token that is not the refused one: the one that another request has fetched meanwhile, or a new one.
    pub(super) async fn instead_of(
        &self,
        client: &Client,
        refused: &Arc<Credential>,
    ) -> Result<Arc<Credential>, ForgeError> {
        let mut found = self.found.lock().await;
        match self.current() {
            Some(current) if !Arc::ptr_eq(&current.credential, refused) => Ok(current.credential),
            _ => self.renew(client, &mut found).await,
        }
    }

    /// The App's id, if its tokens may make check runs.
    pub(super) fn checks_as(&self) -> Option<u64> {
        *self.checks_as.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that they may not, until the next one is had.
    pub(super) fn may_not_check(&self) {
        *self.checks_as.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn current(&self) -> Option<Issued> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn fresh(&self) -> Option<Arc<Credential>> {
        let now = self.clock.now();
        self.current().filter(|current| now < current.renewed_at).map(|current| current.credential)
    }

    async fn renew(&self, client: &Client, kept: &mut Option<Found>) -> Result<Arc<Credential>, ForgeError> {
        let from_before = kept.is_some();
        let found = match kept {
            Some(found) => found.clone(),
            None => kept.insert(self.find(client).await?).clone(),
        };
        let asked_at = self.clock.now();
        let mut answer = self.ask(client, &found).await?;
        // It was installed anew meanwhile, or has other rights now.
        if from_before && matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY) {
            *kept = None;
            let found = kept.insert(self.find(client).await?).clone();
            answer = self.ask(client, &found).await?;
        }
        if !answer.is(StatusCode::CREATED) {
            *kept = None;
            return Err(self.refused(client, &answer));
        }
        let issued = issued(&answer, asked_at)?;
        let found = kept.as_ref().filter(|found| writes_checks(&found.permissions));
        *self.checks_as.write().unwrap_or_else(PoisonError::into_inner) = found.and_then(|found| found.app);
        client.inner.credentials.remember(&issued.credential.token);
        let credential = Arc::clone(&issued.credential);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(issued);
        Ok(credential)
    }

    /// Looks for the installation by the repository.
    async fn find(&self, client: &Client) -> Result<Found, ForgeError> {
        let route = client.repository_route().then("installation");
        let signed = self.signed()?;
        let uri = client.here(&route)?;
        let (answer, repository) = client.read_where_it_is(uri, &signed).await?;
        match answer.status {
            StatusCode::OK => {
                let body: InstallationBody = answer.decode("the App's installation")?;
                let InstallationBody { id: installation, app_id: app, permissions } = body;
                Ok(Found { installation, app, permissions, repository })
            }
            StatusCode::NOT_FOUND => Err(self.not_installed(client, &signed).await),
            _ => Err(self.refused(client, &answer)),
        }
    }

    /// Asks for a token of this one repository.
    async fn ask(&self, client: &Client, found: &Found) -> Result<Answer, ForgeError> {
        let id = client.known_id().or(found.repository);
        let name = client.repository();
        let body = NewToken {
            repository_ids: id.map(|id| [id]),
            repositories: id.is_none().then(|| [name.name()]),
            permissions: to_ask_for(&found.permissions),
        };
        let uri =
            client.beside("app/installations").part(&found.installation.to_string()).then("access_tokens").finish()?;
        Ok(client.exchange(&Method::POST, &uri, &self.signed()?, Some(crate::client::json(&body)?)).await?)
    }

    fn signed(&self) -> Result<Credential, ForgeError> {
        let token = jwt::signed(&self.app, self.clock.now()).and_then(|text| SecretToken::parse(&text).ok());
        let credential = token.and_then(|token| Credential::new(token).ok());
        credential.ok_or_else(|| ForgeError::Unauthorized("the App's key could not sign".to_owned()))
    }

    /// What GitHub's refusal of a token means.
    fn refused(&self, client: &Client, answer: &Answer) -> ForgeError {
        let repository = client.repository();
        let said = answer.message();
        match answer.status {
            // Nobody else but GitHub's own server may say so.
            StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND if answer.refusal().is_some() => {
                let clock = self.skew(&answer.headers).map_or_else(String::new, |seconds| {
                    format!(" This machine's clock is {seconds} seconds off GitHub's: set it.")
                });
                ForgeError::Unauthorized(format!(
                    "GitHub does not take the App's id and key ({said}). Check that the key is one of that App's, and not \
                     deleted there.{clock}"
                ))
            }
            StatusCode::UNPROCESSABLE_ENTITY => ForgeError::Unauthorized(format!(
                "GitHub gives the App no token for {repository} ({said}). Check that its installation may see the repository, \
                 and that the repository was not deleted and made again"
            )),
            _ => answer.error("installation of the App"),
        }
    }

    /// How many seconds this machine's clock is off, if that is too many.
    fn skew(&self, headers: &HeaderMap) -> Option<i64> {
        let off = (self.clock.now() - date(headers)?).num_seconds().abs();
        (off > 30).then_some(off)
    }

    async fn not_installed(&self, client: &Client, signed: &Credential) -> ForgeError {
        let repository = client.repository();
        // Its name helps to find it; without one the advice is the same.
        let name = match client.beside("app").finish() {
            Ok(uri) => client.exchange(&Method::GET, &uri, signed, None).await.ok(),
            Err(_) => None,
        };
        // GitHub does not know the App at all, or its key.
        let unknown = |answer: &&Answer| matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND);
        if let Some(answer) = name.as_ref().filter(unknown) {
            return self.refused(client, answer);
        }
        let name = name.and_then(|answer| answer.decode::<WhichApp>("the App").ok());
        let name = name.map_or_else(String::new, |app| format!(" {}", clean(&app.name())));
        ForgeError::Unauthorized(format!(
            "the GitHub App{name} is not installed on {repository}, or there is no such repository. An owner of the repository \
             installs it from the App's settings (Install App), and chooses the repository there"
        ))
    }
}

/// Reads a new token. Its life is measured by GitHub's own clock, and counted from when it was asked for.
fn issued(answer: &Answer, asked_at: DateTime<Utc>) -> Result<Issued, ForgeError> {
    // What the JSON reader says could hold a part of the answer, and so of the token.
    let unreadable = || ForgeError::Unreadable("the answer with the App's token".to_owned());
    let body: IssuedToken = serde_json::from_slice(&answer.body).map_err(|_| unreadable())?;
    let token = SecretToken::parse(&body.token).map_err(|_| unreadable())?;
    let credential = Arc::new(Credential::new(token).map_err(|_| unreadable())?);
    let life = body.expires_at - date(&answer.headers).unwrap_or(asked_at);
    let life = life.clamp(TimeDelta::zero(), TimeDelta::days(1));
    // One that does not live much longer than that is renewed half-way.
    let before = if life > MARGIN * 2 { life - MARGIN } else { life / 2 };
    Ok(Issued { credential, renewed_at: asked_at + before, ends_at: asked_at + life })
}

fn date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(headers.get(DATE)?.to_str().ok()?).ok().map(|date| date.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: i64 = 1_800_000_000;

    fn read(body: &str, date: Option<&str>) -> Result<Issued, ForgeError> {
        let mut headers = HeaderMap::new();
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        let answer = Answer { status: StatusCode::CREATED, headers, body: body.as_bytes().to_vec() };
        issued(&answer, DateTime::from_timestamp(AT, 0).unwrap())
    }

    #[test]
    fn a_token_is_renewed_minutes_before_its_end_whatever_this_machines_clock_says() {
        // 1,800,000,000 is Fri, 15 Jan 2027 08:00:00 GMT.
        let hour = r#"{"token":"ghs_hush","expires_at":"2027-01-15T09:00:00Z"}"#;
        for (date, ends_after) in [
            (None, 3600),
            (Some("Fri, 15 Jan 2027 08:00:00 GMT"), 3600),
            (Some("Fri, 15 Jan 2027 08:50:00 GMT"), 600),
            (Some("Fri, 15 Jan 2027 08:58:00 GMT"), 120),
            (Some("Fri, 15 Jan 2027 10:00:00 GMT"), 0),
        ] {
            let issued = read(hour, date).unwrap();
            assert_eq!(issued.ends_at.timestamp() - AT, ends_after, "{date:?}");
            let left = (issued.ends_at - issued.renewed_at).num_seconds();
            assert_eq!(left, if ends_after > 600 { 300 } else { ends_after / 2 }, "{date:?}");
        }
    }

    #[test]
    fn a_token_that_cannot_be_read_is_in_no_error() {
        for body in [
            r#"{"token":"hush hush","expires_at":"2027-01-15T09:00:00Z"}"#,
            r#"{"token":"hush","expires_at":"hush"}"#,
            r#"{"token":{"hush":1},"expires_at":"2027-01-15T09:00:00Z"}"#,
            r#""hush""#,
        ] {
            let Err(error) = read(body, None) else { panic!("{body}") };
            assert!(!format!("{error}{error:?}").contains("hush"), "{error:?}");
        }
    }
}
