//! Which repository it is: the one with this number, whatever it is called.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use http::{Method, StatusCode, Uri};
use selfext_domain::RepositoryName;
use selfext_domain::ports::{ForgeError, LedgerError, Repositories};

use crate::answer::Answer;
use crate::client::Client;
use crate::credentials::Credential;
use crate::message::clean;
use crate::patience::Waits;
use crate::redirect::{self, Target};
use crate::route::{ApiBase, Place, Route};
use crate::transport::SendError;
use crate::wire::{PullRequestBody, RepositoryBody};

/// A repository by its number. A name may come to be another repository's; the number never does.
pub(crate) struct Binding {
    base: ApiBase,
    told: RepositoryName,
    /// Where the name leads that was told.
    told_place: Place,
    expected: Option<u64>,
    good_for: Duration,
    memory: Option<Arc<dyn Repositories>>,
    bound: RwLock<Option<Arc<Bound>>>,
    /// Held by whoever asks GitHub; the others wait for the answer.
    turn: tokio::sync::Mutex<()>,
}

/// What GitHub said of the repository.
pub(crate) struct Bound {
    pub(crate) id: u64,
    /// The same for GraphQL.
    pub(crate) node_id: String,
    /// What it is called now.
    pub(crate) name: RepositoryName,
    pub(crate) place: Place,
    /// What it was called while this client knew it.
    former: Vec<RepositoryName>,
    said_at: Instant,
}

/// For how long GitHub's word is good, if nobody says otherwise.
pub(crate) const GOOD_FOR: Duration = Duration::from_mins(10);

impl Binding {
    pub(crate) fn new(
        base: ApiBase,
        told: RepositoryName,
        expected: Option<u64>,
        good_for: Duration,
        memory: Option<Arc<dyn Repositories>>,
    ) -> Self {
        let told_place = Place::new(&base, &told);
        Self {
            base,
            told,
            told_place,
            expected,
            good_for,
            memory,
            bound: RwLock::new(None),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    /// The name that was told, under which the ledger keeps it.
    pub(crate) const fn told(&self) -> &RepositoryName {
        &self.told
    }

    pub(crate) const fn told_place(&self) -> &Place {
        &self.told_place
    }

    pub(crate) fn now(&self) -> Option<Arc<Bound>> {
        self.bound.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same if GitHub said so a short time ago.
    pub(crate) fn lately(&self) -> Option<Arc<Bound>> {
        self.now().filter(|bound| bound.said_at.elapsed() < self.good_for)
    }

    /// Refuses another repository than the one that was told, or that the name led to when any process first used it. A number
    /// that was told is meant, whatever was there before.
    async fn check(&self, found: &RepositoryBody, waits: Waits<'_>) -> Result<(), ForgeError> {
        let before = self.now().map(|before| before.id);
        let expected = match (&self.memory, self.expected.or(before)) {
            (_, Some(expected)) if expected != found.id => expected,
            (Some(memory), expected) if before.is_none() => {
                expected.unwrap_or(self.remember(&**memory, found.id, waits).await?)
            }
            _ => found.id,
        };
        if expected == found.id { Ok(()) } else { Err(ForgeError::Refused(another(&self.told, expected, found.id))) }
    }

    /// Asks the memory, again after a pause where it could not be reached: that may be repeated.
    async fn remember(&self, memory: &dyn Repositories, number: u64, mut waits: Waits<'_>) -> Result<u64, ForgeError> {
        loop {
            match memory.remember(self.base.realm(), &self.told, number).await {
                Ok(first) => return Ok(first),
                Err(LedgerError::Unavailable(_)) if waits.pause().await => {}
                Err(error) => return Err(ForgeError::unavailable(Unremembered(error))),
            }
        }
    }

    /// Takes GitHub's word, if it is about the same repository as before.
    async fn bind(&self, found: RepositoryBody, waits: Waits<'_>) -> Result<Arc<Bound>, ForgeError> {
        self.check(&found, waits).await?;
        let before = self.now();
        let name = RepositoryName::parse(found.full_name.as_str())
            .map_err(|_| ForgeError::Unreadable("the name of the repository".to_owned()))?;
        let mut former = before.as_ref().map(|before| before.former.clone()).unwrap_or_default();
        former.extend(before.map(|before| before.name.clone()).filter(|before| *before != name));
        let place = Place::new(&self.base, &name);
        let bound =
            Arc::new(Bound { id: found.id, node_id: found.node_id, name, place, former, said_at: Instant::now() });
        *self.bound.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&bound));
        Ok(bound)
    }
}

/// It could not be asked which repository the name led to before.
#[derive(Debug, thiserror::Error)]
#[error("the ledger does not tell which repository the name led to before")]
struct Unremembered(#[source] LedgerError);

/// What is said where a name leads to another repository than before.
fn another(name: &RepositoryName, expected: u64, found: u64) -> String {
    format!(
        "{name} is another repository than before: its id is {found}, not {expected}. It was deleted and made again, or its name \
         was given to another one; nothing more is done in it. If that is right, say the id {found} as the repository's"
    )
}

impl Client {
    /// The repository's number, if it is known already.
    pub(crate) fn known_id(&self) -> Option<u64> {
        self.inner.binding.now().map(|bound| bound.id).or(self.inner.binding.expected)
    }

    /// What the repository is called now, as far as it is known.
    pub(crate) fn repository(&self) -> RepositoryName {
        let binding = &self.inner.binding;
        binding.now().map_or_else(|| binding.told.clone(), |bound| bound.name.clone())
    }

    /// Whether this is, or was, the repository's name.
    pub(crate) fn is_called(&self, name: &RepositoryName) -> bool {
        let binding = &self.inner.binding;
        let same = |other: &RepositoryName| other.as_str().eq_ignore_ascii_case(name.as_str());
        same(&binding.told) || binding.now().is_some_and(|bound| same(&bound.name) || bound.former.iter().any(same))
    }

    /// A route's URL where the repository is now, as far as it is known.
    pub(crate) fn here(&self, route: &Route<'_>) -> Result<Uri, SendError> {
        self.inner.binding.now().map_or_else(|| route.finish(), |bound| route.finish_at(&bound.place))
    }

    /// The repository. GitHub is asked at first, and again when its word is old.
    pub(crate) async fn bound(&self) -> Result<Arc<Bound>, ForgeError> {
        let binding = &self.inner.binding;
        if let Some(bound) = binding.lately() {
            return Ok(bound);
        }
        let _turn = binding.turn.lock().await;
        if let Some(bound) = binding.lately() {
            return Ok(bound);
        }
        let found = self.read_identity(self.here(&self.repository_route())?).await?;
        binding.bind(found, self.waits()).await
    }

    /// The repository after an answer said that it is elsewhere.
    pub(crate) async fn bound_anew(&self, stale: &Arc<Bound>, target: &Target) -> Result<Arc<Bound>, ForgeError> {
        let binding = &self.inner.binding;
        let _turn = binding.turn.lock().await;
        if let Some(bound) = binding.now().filter(|bound| !Arc::ptr_eq(bound, stale)) {
            return Ok(bound);
        }
        let uri = target.repository.as_ref().and_then(|which| which.uri(&binding.base));
        let uri = uri.ok_or_else(|| ForgeError::Unreadable("the place that the repository is at".to_owned()))?;
        binding.bind(self.read_identity(uri).await?, self.waits()).await
    }

    async fn read_identity(&self, uri: Uri) -> Result<RepositoryBody, ForgeError> {
        let credential = self.credential().await?;
        let (mut answer, _) = self.read_where_it_is(uri.clone(), &credential).await?;
        if answer.is_refused_credential()
            && let Some(other) = self.instead_of(&credential).await?
        {
            (answer, _) = self.read_where_it_is(uri, &other).await?;
        }
        answer.expect(StatusCode::OK, &format!("repository {}", self.repository()))
    }

    /// Reads what may be elsewhere in the API, and answers also which repository's number that place named.
    pub(crate) async fn read_where_it_is(
        &self,
        mut uri: Uri,
        credential: &Credential,
    ) -> Result<(Answer, Option<u64>), SendError> {
        let mut id = None;
        for _ in 0..=redirect::MOST {
            let answer = self.exchange(&Method::GET, &uri, credential, None).await?;
            let Some(target) = self.points_to(&uri, &answer)? else { return Ok((answer, id)) };
            if let Some(redirect::Which::Id(named)) = target.repository {
                id = Some(named);
            }
            uri = target.uri;
        }
        Err(without_end())
    }

    /// Where an answer points, if it is inside the API.
    pub(crate) fn points_to(&self, asked: &Uri, answer: &Answer) -> Result<Option<Target>, SendError> {
        redirect::target(&self.inner.binding.base, asked, answer.status, &answer.headers).map_err(|place| {
            let place = self.inner.credentials.remove_from(place.into_bytes());
            let place = clean(&String::from_utf8_lossy(&place));
            SendError::Elsewhere(format!(
                "the answer ({}) points to {place}, outside of the API: nothing was sent there. Is the API's address right?",
                answer.status.as_u16()
            ))
        })
    }

    /// Refuses a pull request of another repository, which has come to have the name.
    pub(crate) fn must_be_here(&self, pull: &PullRequestBody) -> Result<(), ForgeError> {
        match (pull.repository_id(), self.known_id()) {
            (Some(found), Some(known)) if found != known => {
                Err(ForgeError::Refused(another(&self.repository(), known, found)))
            }
            _ => Ok(()),
        }
    }
}

/// Answers that point from one place to the next.
pub(crate) fn without_end() -> SendError {
    SendError::Elsewhere(format!("the answers point from one place to the next, more than {} times", redirect::MOST))
}
