//! Waiting for GitHub to agree with itself.

use std::time::Duration;

/// The pauses before a question is asked again whose answer contradicts what GitHub said before: a reference that is not
/// there right after it was made, a pull request that shows an older head than its branch.
///
/// As many repetitions as pauses; by default three, over 2 s in all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patience(Vec<Duration>);

impl Patience {
    /// The most pauses that are kept; every call stays bounded.
    pub const MAX: usize = 10;

    /// These pauses, of which the first ten count. Without any there is one repetition at once: a fence needs two looks.
    #[must_use]
    pub fn new(pauses: impl IntoIterator<Item = Duration>) -> Self {
        let mut pauses: Vec<Duration> = pauses.into_iter().take(Self::MAX).collect();
        if pauses.is_empty() {
            pauses.push(Duration::ZERO);
        }
        Self(pauses)
    }

    /// One question's worth of waiting.
    pub(crate) fn begin(&self) -> Waits<'_> {
        Waits(self.0.iter())
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self::new([200, 600, 1200].map(Duration::from_millis))
    }
}

/// The pauses that are left for one question.
pub(crate) struct Waits<'a>(std::slice::Iter<'a, Duration>);

impl Waits<'_> {
    /// Waits for the next pause. `false` at once if there is none left.
    pub(crate) async fn again(&mut self, about: &'static str) -> bool {
        let more = self.pause().await;
        if more {
            tracing::debug!(about, "GitHub contradicts itself; asking again");
        }
        more
    }

    /// The same without a word, for questions to others than GitHub.
    pub(crate) async fn pause(&mut self) -> bool {
        let Some(pause) = self.0.next() else {
            return false;
        };
        tokio::time::sleep(*pause).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn patience_ends() {
        let patience = Patience::new(std::iter::repeat_n(Duration::ZERO, 1000));
        let mut waits = patience.begin();
        for _ in 0..Patience::MAX {
            assert!(waits.again("test").await);
        }
        assert!(!waits.again("test").await);
    }
}
