//! Hints that it is worth to look at the forge again.

use async_trait::async_trait;

/// Wakes those who wait for something to change at the forge, for example when it told of a check by a webhook.
///
/// A wake-up says nothing about what changed, and may be about nothing at all: whoever is woken asks the forge. One may also be
/// missing, so nobody waits for it alone.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Wakes: Send + Sync {
    /// How many wake-ups there have been. Asked for before a look at the forge, so that none is missed that comes during it.
    fn count(&self) -> u64;

    /// Waits until there have been more than `seen`. May be dropped at any moment.
    async fn beyond(&self, seen: u64);
}
