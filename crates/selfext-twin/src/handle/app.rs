//! The repository's name and number, and the App's tokens.

use chrono::TimeDelta;

use super::TwinHandle;
use crate::error::TwinError;

impl TwinHandle {
    /// Gives the repository another name, also of another owner. As at GitHub, its former names lead to it: a read is answered
    /// with 301 and anything else with 307, to the same place below `/repositories/{id}`. Forgotten when the twin closes.
    pub fn rename(&self, owner: impl Into<String>, name: impl Into<String>) {
        let identity = self.world.identity().renamed(owner.into(), name.into());
        self.world.set_identity(identity);
    }

    /// Puts another repository under the same name, with the next number, as if somebody had deleted this one, made it again and
    /// pushed all its branches: pull requests, statuses, check runs and settings are gone.
    ///
    /// # Errors
    ///
    /// [`TwinError::Closed`] and [`TwinError::Files`] if it cannot be kept.
    pub async fn make_again(&self) -> Result<(), TwinError> {
        let mut store = self.world.store.lock().await;
        self.world.check_open()?;
        store.state = crate::state::State::default();
        store.save()?;
        self.world.set_identity(self.world.identity().made_again());
        Ok(())
    }

    /// The repository's number.
    #[must_use]
    pub fn repository_id(&self) -> u64 {
        self.world.identity().id
    }

    /// Ends all tokens of the App's installation at once: they are answered with 401 from now on.
    pub fn expire_app_tokens(&self) {
        self.world.desk.expire();
    }

    /// The token that the App was given last.
    #[must_use]
    pub fn last_app_token(&self) -> Option<String> {
        self.world.desk.last()
    }

    /// Gives the App tokens from now on that are answered with 401.
    pub fn refuse_new_app_tokens(&self) {
        self.world.desk.refuse_new();
    }

    /// Takes the App out of the repository, with its tokens, or puts it back.
    pub fn set_app_installed(&self, installed: bool) {
        self.world.desk.set_installed(installed);
    }

    /// Moves the time by which the App's tokens begin and end.
    pub fn advance_app_clock(&self, by: TimeDelta) {
        self.world.desk.advance(by);
    }
}
