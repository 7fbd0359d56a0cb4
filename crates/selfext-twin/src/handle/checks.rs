//! Statuses, check runs, and the rules of the repository.

use std::sync::Arc;

use super::TwinHandle;
use crate::clock;
use crate::control::{
    AppIdentity, AutoCheck, CheckOutcome, MergeMethods, NewHead, Permission, Protection, ReviewState, StatusState,
};
use crate::error::TwinError;
use crate::git::Oid;
use crate::state::{Review, State};

impl TwinHandle {
    /// Sets a commit status in the name of the user `ci`. A later status of the same context covers an earlier one.
    ///
    /// # Errors
    ///
    /// [`TwinError::NoSuchThing`] if there is no such commit; [`TwinError::Closed`], [`TwinError::Git`] and
    /// [`TwinError::Files`] if it cannot be kept.
    pub async fn set_status(
        &self,
        sha: &str,
        context: &str,
        state: StatusState,
        description: Option<&str>,
    ) -> Result<(), TwinError> {
        let check =
            AutoCheck::Status { context: context.to_owned(), state, description: description.map(str::to_owned) };
        self.set_check(sha, check).await
    }

    /// Sets a commit status in the name of this user; an app's has `[bot]` behind its name.
    ///
    /// # Errors
    ///
    /// As [`set_status`](Self::set_status).
    pub async fn set_status_as(
        &self,
        sha: &str,
        login: &str,
        context: &str,
        state: StatusState,
    ) -> Result<(), TwinError> {
        let oid = self.existing(sha).await?;
        self.change(|all| all.set_status(oid, login, context.to_owned(), state, None)).await
    }

    /// Sets a check run of an app; one of the same name and app on the same commit is changed.
    ///
    /// # Errors
    ///
    /// As [`set_status`](Self::set_status).
    pub async fn set_check_run(
        &self,
        sha: &str,
        name: &str,
        outcome: CheckOutcome,
        app: AppIdentity,
    ) -> Result<(), TwinError> {
        let name = name.to_owned();
        self.set_check(sha, AutoCheck::CheckRun { name, outcome, app }).await
    }

    /// Sets a status or a check run.
    ///
    /// # Errors
    ///
    /// As [`set_status`](Self::set_status).
    pub async fn set_check(&self, sha: &str, check: AutoCheck) -> Result<(), TwinError> {
        let oid = self.existing(sha).await?;
        self.change(|state| state.set_check(oid, check)).await
    }

    async fn existing(&self, sha: &str) -> Result<Oid, TwinError> {
        let missing = || TwinError::NoSuchThing(format!("commit {sha}"));
        let oid = Oid::parse(sha).ok_or_else(missing)?;
        self.world.git.commit(oid).await?.ok_or_else(missing)?;
        Ok(oid)
    }

    /// Sets checks by this rule whenever a pull request is opened or reopened, or its head moves, before the request
    /// that caused it is answered. It takes the place of an earlier rule and is forgotten when the twin closes.
    ///
    /// The rule must not use the handle: the state is locked while it runs.
    pub fn on_new_head(&self, rule: impl Fn(&NewHead) -> Vec<AutoCheck> + Send + Sync + 'static) {
        self.world.knobs.set_on_new_head(Some(Arc::new(rule)));
    }

    /// Sets these checks on every new head.
    pub fn on_new_head_set(&self, checks: impl IntoIterator<Item = AutoCheck>) {
        let checks: Vec<AutoCheck> = checks.into_iter().collect();
        self.on_new_head(move |_| checks.clone());
    }

    /// Sets nothing on new heads any more.
    pub fn clear_on_new_head(&self) {
        self.world.knobs.set_on_new_head(None);
    }

    /// Protects a branch; a rule of the same source takes the place of the one before. Kept over restarts.
    ///
    /// # Errors
    ///
    /// [`TwinError::Closed`] and [`TwinError::Files`] if it cannot be kept.
    pub async fn protect(&self, branch: &str, protection: Protection) -> Result<(), TwinError> {
        self.change(|state| state.settings.protect(branch, protection)).await
    }

    /// Takes all protection from a branch. Kept over restarts.
    ///
    /// # Errors
    ///
    /// As [`protect`](Self::protect).
    pub async fn unprotect(&self, branch: &str) -> Result<(), TwinError> {
        self.change(|state| state.settings.unprotect(branch)).await
    }

    /// Says which ways of merging the repository allows (all of them, if never said). Kept over restarts.
    ///
    /// # Errors
    ///
    /// As [`protect`](Self::protect).
    pub async fn allow_merge_methods(&self, methods: MergeMethods) -> Result<(), TwinError> {
        self.change(|state| state.settings.merge_methods = methods).await
    }

    /// Says whether head branches are deleted once they are merged (they are not, if never said). Kept over
    /// restarts.
    ///
    /// # Errors
    ///
    /// As [`protect`](Self::protect).
    pub async fn delete_branch_on_merge(&self, delete: bool) -> Result<(), TwinError> {
        self.change(|state| state.settings.delete_branch_on_merge = delete).await
    }

    /// Says what somebody may do in the repository (read, if never said). Kept over restarts.
    ///
    /// # Errors
    ///
    /// As [`protect`](Self::protect).
    pub async fn permit(&self, login: &str, permission: Permission) -> Result<(), TwinError> {
        self.change(|state| state.settings.permit(login, permission)).await
    }

    /// Says who is in a team of an organization. Kept over restarts.
    ///
    /// # Errors
    ///
    /// As [`protect`](Self::protect).
    pub async fn set_team(&self, organization: &str, team: &str, members: &[&str]) -> Result<(), TwinError> {
        let members = members.iter().map(|login| (*login).to_owned()).collect();
        self.change(|state| state.settings.set_team(organization, team, members)).await
    }

    /// Reviews a pull request in somebody's name, at its head or at an earlier commit. Kept over restarts.
    ///
    /// # Errors
    ///
    /// [`TwinError::NoSuchThing`] if there is no such pull request or the commit has an impossible name; otherwise as
    /// [`protect`](Self::protect).
    pub async fn review(
        &self,
        pull_request: u64,
        login: &str,
        review: ReviewState,
        commit: Option<&str>,
    ) -> Result<(), TwinError> {
        let missing = || TwinError::NoSuchThing(format!("pull request {pull_request}, or the commit to review"));
        let commit = commit.map(|commit| Oid::parse(commit).ok_or_else(missing)).transpose()?;
        let mut store = self.world.store.lock().await;
        self.world.check_open()?;
        let head = store.state.pulls.get(&pull_request).ok_or_else(missing)?.head_sha;
        let (id, commit) = (store.state.next_id(), commit.unwrap_or(head));
        let review = Review { id, user: login.to_owned(), state: review, commit, at: clock::now() };
        store.state.reviews.entry(pull_request).or_default().push(review);
        Ok(store.save()?)
    }

    async fn change(&self, change: impl FnOnce(&mut State)) -> Result<(), TwinError> {
        let mut store = self.world.store.lock().await;
        self.world.check_open()?;
        change(&mut store.state);
        store.save()?;
        Ok(self.world.advance_queues(&mut store).await?)
    }
}
