//! Putting the layers together for an agent.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use selfext_domain::ports::{Forge, Heartbeats, IdSource as _, Leases, PauseRequest, Verifier, Wakes};
use selfext_domain::{BranchName, ChangeSet, InvalidValue, OperatorName, Reporter, RepositoryName, RunId};
use selfext_github::{
    AppKey, Budget, BuildError, GithubApp, InvalidAppId, InvalidAppKey, InvalidToken, OctocrabForge, SecretToken,
};
use selfext_pipeline::{
    Observer, Outcome, Pipeline, PipelineConfig, Ports, PromoteError, Reconciled, Silent, Sweep, SweepError,
};
use selfext_store::{DatabaseUrl, Store, StoreError};
use selfext_verifier::{GitSource, InvalidUrl, RemoteUrl, Secret, VerifierConfig, WorktreeVerifier};
use url::Url;

use crate::edge::{SystemClock, UuidSource};
use crate::git_remote::{ForgeRemote, GitAddress};
use crate::heartbeat::reporter;
use crate::operations::os_user;
use crate::places::{PlacesError, default_cache, default_database};
use crate::wakes::ForgeWakes;

/// Why selfext could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The ledger.
    #[error("the ledger could not be opened")]
    Store(#[from] StoreError),
    /// The forge.
    #[error("the forge's client could not be made")]
    Forge(#[from] BuildError),
    /// A place on this machine.
    #[error("a place on this machine is missing")]
    Places(#[from] PlacesError),
    /// A default value.
    #[error("a value is illegal")]
    Value(#[from] InvalidValue),
    /// The address that git fetches from.
    #[error("git cannot fetch from there")]
    GitUrl(#[from] InvalidUrl),
    /// The ledger could not tell what is open.
    #[error("the merges that are open could not be listed")]
    Settle(#[from] PromoteError),
    /// Neither a token nor an App was given.
    #[error("a repository on GitHub needs a token, or an App")]
    NoToken,
    /// A token and an App were given.
    #[error("a token and an App were given; selfext acts as one of them")]
    TwoIdentities,
}

/// Why a GitHub App cannot be one. It repeats nothing of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidApp {
    /// The id.
    #[error("the App's id is none")]
    Id(#[from] InvalidAppId),
    /// The private key.
    #[error("the App's private key is none")]
    Key(#[from] InvalidAppKey),
}

/// What an agent says about itself before it opens [`Selfext`].
#[derive(Debug)]
pub struct SelfextBuilder {
    repository: RepositoryName,
    base: Option<BranchName>,
    database: Option<DatabaseUrl>,
    repository_id: Option<u64>,
    token: Option<(SecretToken, Secret)>,
    app: Option<GithubApp>,
    api: Option<Url>,
    budget: Option<Budget>,
    source: Option<GitSource>,
    git_url: Option<RemoteUrl>,
    cache: Option<PathBuf>,
    read_paths: Vec<PathBuf>,
    holder: Option<String>,
    permit_deadline: Option<Duration>,
    retry_pause: Option<Duration>,
}

impl SelfextBuilder {
    /// The branch that changes land on; `main` by default.
    #[must_use]
    pub fn base(self, base: BranchName) -> Self {
        Self { base: Some(base), ..self }
    }

    /// The ledger; by default [`default_database`].
    #[must_use]
    pub fn database(self, database: DatabaseUrl) -> Self {
        Self { database: Some(database), ..self }
    }

    /// The token for the forge, and for git where it fetches from there. No log, error or event shows it.
    ///
    /// # Errors
    /// [`InvalidToken`] for a text that cannot be one.
    pub fn github_token(self, token: &str) -> Result<Self, InvalidToken> {
        Ok(Self { token: Some((SecretToken::parse(token)?, Secret::new(token.trim()))), ..self })
    }

    /// A GitHub App instead of a token: its id or client id, and one of its private keys in PEM form. Its installation is found
    /// by the repository; its tokens are for that alone, and are renewed. No log, error or event shows key or token.
    ///
    /// # Errors
    /// [`InvalidApp`] for texts that cannot be these.
    pub fn github_app(self, id: &str, private_key: &str) -> Result<Self, InvalidApp> {
        let app = GithubApp::new(id, AppKey::from_pem(private_key)?)?;
        Ok(Self { app: Some(app), ..self })
    }

    /// The repository's number at GitHub, which stays when it is renamed: a renamed repository is followed, and another one under
    /// its name is refused. Without it, it is the number of the repository that the name led to when selfext first used it with
    /// this ledger, which remembers that.
    #[must_use]
    pub fn repository_id(self, id: u64) -> Self {
        Self { repository_id: Some(id), ..self }
    }

    /// The API's address; GitHub's by default. GitHub Enterprise Server's is `https://HOST/api/v3`, a twin's the one it
    /// prints.
    #[must_use]
    pub fn github_url(self, api: Url) -> Self {
        Self { api: Some(api), ..self }
    }

    /// How fast GitHub may be asked with this token, how much of its hour is left to others, and how long to wait where it says
    /// that it was asked too much; [`Budget::default`] by default. All that one process opens with one token waits together;
    /// what other processes ask with it is known only from GitHub's answers.
    #[must_use]
    pub fn github_budget(self, budget: Budget) -> Self {
        Self { budget: Some(budget), ..self }
    }

    /// Where verification gets the repository from; by default `https://HOST/OWNER/NAME.git` of the API's host, with the
    /// token.
    #[must_use]
    pub fn git_source(self, source: GitSource) -> Self {
        Self { source: Some(source), ..self }
    }

    /// Where git fetches from, with the token, if not from the API's host.
    #[must_use]
    pub fn git_url(self, url: RemoteUrl) -> Self {
        Self { git_url: Some(url), ..self }
    }

    /// The folder of the verifier's clone and worktrees; by default [`default_cache`].
    #[must_use]
    pub fn cache(self, cache: PathBuf) -> Self {
        Self { cache: Some(cache), ..self }
    }

    /// What stages of verification may read on this machine besides the system's programs and the tool chains that are found:
    /// absolute paths of folders or files. None by default. What holds credentials does not belong here.
    #[must_use]
    pub fn stages_may_read(self, paths: Vec<PathBuf>) -> Self {
        Self { read_paths: paths, ..self }
    }

    /// What names this process in merge permits; by default the host and the process.
    #[must_use]
    pub fn holder(self, holder: String) -> Self {
        Self { holder: Some(holder), ..self }
    }

    /// For how long a process may act on a merge permit, after which whoever comes by fences the merge; two minutes by
    /// default. The ledger keeps whole seconds: it is rounded down, and is one second at least.
    ///
    /// It must be longer than all tries of one merge together, their answers and the [pauses](Self::retry_pause) between them
    /// included: a shorter one lets nothing land that should not, but merges that would have succeeded end as `merge-fenced`.
    #[must_use]
    pub fn permit_deadline(self, deadline: Duration) -> Self {
        let whole = Duration::from_secs(deadline.as_secs().max(1));
        Self { permit_deadline: Some(whole), ..self }
    }

    /// How long it waits between two tries of a merge, and between two looks at another process's merge; two seconds by
    /// default. Each look asks the ledger, so it should not be zero.
    #[must_use]
    pub fn retry_pause(self, pause: Duration) -> Self {
        Self { retry_pause: Some(pause), ..self }
    }

    /// Opens the ledger, makes the clients, and settles merges that an earlier life left open: what landed is recorded, what is
    /// past its time fenced. A merge that is in time is left to its holder; [`Selfext::reconcile`] takes it over. The forge is
    /// asked only where there are any; if it does not answer, they stay in doubt, and selfext opens all the same.
    ///
    /// # Errors
    /// [`OpenError`] says which part could not be had.
    pub async fn open(self) -> Result<Selfext, OpenError> {
        let (holder, deadline, pause) = (self.holder.clone(), self.permit_deadline, self.retry_pause);
        let repository = self.repository.clone();
        let Parts { forge, store, verifier, base } = self.parts().await?;
        let (store, reporter) = (store?, reporter(&this_process())?);
        let rests = Arc::new(forge.clone());
        let ports = Ports {
            ledger: store.ledger(),
            control: store.control(),
            forge: Arc::new(forge),
            verifier,
            clock: Arc::new(SystemClock),
            ids: Arc::new(UuidSource),
        };
        let usual = PipelineConfig::new(repository, base, holder.unwrap_or_else(this_process));
        let config = PipelineConfig {
            permit_deadline: deadline.unwrap_or(usual.permit_deadline),
            retry_pause: pause.unwrap_or(usual.retry_pause),
            ..usual
        };
        let (forge, verifier) = (Arc::clone(&ports.forge), Arc::clone(&ports.verifier));
        let wakes = Arc::new(ForgeWakes::new(store.bell(&config.repository)));
        let pipeline = Pipeline::new(ports, config)
            .woken_by(Arc::clone(&wakes) as Arc<dyn Wakes>)
            .telling(store.waits())
            .resting_by(rests);
        pipeline.recover(&Silent).await?;
        Ok(Selfext {
            pipeline,
            forge,
            verifier,
            wakes,
            heartbeats: store.heartbeats(),
            leases: store.leases(),
            reporter,
        })
    }

    /// The adapters. A ledger that could not be had is among them: what does not need it can go on.
    pub(crate) async fn parts(self) -> Result<Parts, OpenError> {
        let forge = OctocrabForge::builder(self.repository.clone());
        let (mut forge, secret) = match (self.token, self.app) {
            (Some((token, secret)), None) => (forge.token(token), Some(secret)),
            (None, Some(app)) => (forge.app(app, Arc::new(SystemClock)), None),
            (Some(_), Some(_)) => return Err(OpenError::TwoIdentities),
            (None, None) => return Err(OpenError::NoToken),
        };
        if let Some(api) = &self.api {
            forge = forge.base_url(api.clone());
        }
        if let Some(budget) = self.budget {
            forge = forge.budget(budget);
        }
        if let Some(id) = self.repository_id {
            forge = forge.repository_id(id);
        }
        // An error of the forge's is one before anything is made, too.
        forge.clone().build()?;
        let cache = self.cache.map_or_else(|| default_cache(&self.repository), Ok)?;
        let address = GitAddress { given: self.git_url, api: self.api };
        address.of(&self.repository)?;
        let base = self.base.map_or_else(|| BranchName::parse("main"), Ok)?;
        // Last, so that nothing is made for what cannot be opened.
        let database = self.database.map_or_else(default_database, Ok)?;
        let store = Store::connect(&database).await;
        if let Ok(store) = &store {
            forge = forge.remembering(store.repositories());
        }
        let forge = forge.build()?;
        let source = match (self.source, address, secret) {
            (Some(source), ..) => source,
            (None, GitAddress { given: Some(url), .. }, Some(secret)) => GitSource::Https { url, token: Some(secret) },
            (None, address, _) => GitSource::Asked(Arc::new(ForgeRemote::new(forge.clone(), address))),
        };
        let verifier = Arc::new(WorktreeVerifier::new(VerifierConfig {
            read_paths: self.read_paths,
            ..VerifierConfig::new(source, cache)
        }));
        Ok(Parts { forge, store, verifier, base })
    }
}

/// What selfext is put together of.
pub(crate) struct Parts {
    pub(crate) forge: OctocrabForge,
    pub(crate) store: Result<Store, StoreError>,
    pub(crate) verifier: Arc<dyn Verifier>,
    pub(crate) base: BranchName,
}

fn this_process() -> String {
    let host = whoami::hostname().unwrap_or_else(|_| "unknown-host".to_owned());
    format!("{host}:{}", std::process::id())
}

/// selfext as an agent embeds it. Cheap to clone.
#[derive(Clone)]
pub struct Selfext {
    pub(crate) pipeline: Pipeline,
    pub(crate) forge: Arc<dyn Forge>,
    pub(crate) verifier: Arc<dyn Verifier>,
    wakes: Arc<ForgeWakes>,
    pub(crate) heartbeats: Arc<dyn Heartbeats>,
    pub(crate) leases: Arc<dyn Leases>,
    pub(crate) reporter: Reporter,
}

impl Selfext {
    /// Says which repository.
    #[must_use]
    pub const fn builder(repository: RepositoryName) -> SelfextBuilder {
        SelfextBuilder {
            repository,
            base: None,
            database: None,
            repository_id: None,
            token: None,
            app: None,
            api: None,
            budget: None,
            source: None,
            git_url: None,
            cache: None,
            read_paths: Vec::new(),
            holder: None,
            permit_deadline: None,
            retry_pause: None,
        }
    }

    /// The repository that it works on, as the ledger names it.
    #[must_use]
    pub const fn repository(&self) -> &RepositoryName {
        &self.pipeline.config().repository
    }

    /// The branch that changes land on.
    #[must_use]
    pub const fn base(&self) -> &BranchName {
        &self.pipeline.config().base
    }

    /// Lets every promotion of this process that waits for checks ask the forge soon, rather than at its time: within a second, or
    /// later where earlier wake-ups led to nothing. For agents that receive webhooks themselves, with a
    /// [`WebhookReceiver`](crate::WebhookReceiver); promotions in other processes are woken by
    /// [`Operations::wake`](crate::Operations::wake), which wakes those of this one too.
    pub fn wake(&self) {
        self.wakes.wake();
    }

    /// Takes a change set to the base branch, or as far as it may go. The same change set has one run: repeating the call, in
    /// this process or another, goes on with it or reports it.
    ///
    /// # Errors
    /// [`PromoteError`] only where it is not known how the run stands, or the ledger could not record the next step.
    pub async fn promote(&self, change: &ChangeSet) -> Result<Outcome, PromoteError> {
        self.pipeline.promote(change, None, &Silent).await
    }

    /// As [`Selfext::promote`], with a run id of the caller's, and told step by step.
    ///
    /// # Errors
    /// As [`Selfext::promote`], and [`PromoteError::RunTaken`] if the id belongs to another change.
    pub async fn promote_as(
        &self,
        change: &ChangeSet,
        run: Option<&RunId>,
        observer: &dyn Observer,
    ) -> Result<Outcome, PromoteError> {
        self.pipeline.promote(change, run, observer).await
    }

    /// Settles every merge that a crash left open, and tells of every open run.
    ///
    /// # Errors
    /// [`PromoteError::Ledger`] if the open runs could not be listed.
    pub async fn reconcile(&self, observer: &dyn Observer) -> Result<Vec<Reconciled>, PromoteError> {
        self.pipeline.reconcile(observer).await
    }

    /// Does once more what [`SelfextBuilder::open`] does with merges that are open: records what landed, finishes fences, and
    /// fences what is past its deadline. It asks for no merge, so it works while promotion is paused. May be repeated, and run
    /// by several processes at once; where nothing is open it costs one look into the ledger.
    ///
    /// # Errors
    /// [`PromoteError`] if the ledger could not be read or written. A forge that does not answer leaves a merge in doubt.
    pub async fn recover(&self, observer: &dyn Observer) -> Result<(), PromoteError> {
        self.pipeline.recover(observer).await
    }

    /// Makes sure now that a run's open merge can never happen, or finds that it has. Works while promotion is paused. The run
    /// must be of [`Selfext::repository`] and [`Selfext::base`]. If the forge does not answer, the outcome is
    /// [`Ending::InDoubt`](crate::Ending::InDoubt), and the merge may still happen. May be repeated, and run by several
    /// processes at once.
    ///
    /// # Errors
    /// [`PromoteError::NoRun`]; [`PromoteError::Ledger`] if it could not be recorded, and then nothing was done.
    pub async fn fence_merge(&self, run: &RunId, why: &str, observer: &dyn Observer) -> Result<Outcome, PromoteError> {
        self.pipeline.fence_merge(run, why, observer).await
    }

    /// Pauses promotion, and then takes away every branch of selfext's in the repository, each fenced first, so that nothing of
    /// it can merge any more, whatever the ledger knows: what to do where the database may have lost merge permits, before
    /// [`Operations::accept_history`](crate::Operations::accept_history). May be repeated.
    ///
    /// # Errors
    /// [`SweepError`]; what became of single branches is in the [`Sweep`].
    pub async fn sweep(&self, by: &OperatorName, observer: &dyn Observer) -> Result<Sweep, SweepError> {
        let request = PauseRequest {
            event: UuidSource.event_id(),
            by: by.clone(),
            reason: format!(
                "sweep of {}: every branch of selfext's there is fenced off",
                self.pipeline.config().repository
            ),
            allow_rollbacks: false,
            os_user: os_user(),
        };
        self.pipeline.sweep(&request, observer).await
    }

    /// Ends an open run.
    ///
    /// # Errors
    /// [`PromoteError::NoRun`]; [`PromoteError::Ledger`] if it could not be recorded, and then nothing was done.
    pub async fn abandon(
        &self,
        run: &RunId,
        by: &OperatorName,
        reason: Option<&str>,
        observer: &dyn Observer,
    ) -> Result<Outcome, PromoteError> {
        self.pipeline.abandon(run, by, reason, observer).await
    }
}
