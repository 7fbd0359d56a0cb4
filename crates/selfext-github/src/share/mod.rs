//! What all forges of one token share in this process: GitHub's limits, and answers that need not be sent again.

mod answers;
mod budget;
mod limiter;
mod pace;

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

pub use budget::Budget;
pub(crate) use limiter::{Kind, Limited};

use self::answers::Answers;
use self::limiter::Limiter;

/// The shares that are in use, by what [`Share::of`] was told. Held weakly: the last forge of a token takes it away.
static SHARES: LazyLock<Mutex<HashMap<u64, Weak<Share>>>> = LazyLock::new(Mutex::default);

/// Makes keys of secrets that say nothing about them.
static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// One credential's share of one API. GitHub counts by credential, so that two forges of the same one must wait together;
/// and its entity tags hold for one credential alone.
#[derive(Debug, Default)]
pub(crate) struct Share {
    pub(crate) limiter: Limiter,
    pub(crate) answers: Answers,
}

impl Share {
    /// The share of a credential at an API; the same one for as long as anybody holds it.
    pub(crate) fn of(base: &str, credential: &str) -> Arc<Self> {
        let key = KEYS.hash_one((base, credential));
        let mut shares = SHARES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(&key).and_then(Weak::upgrade) {
            return share;
        }
        shares.retain(|_, share| share.strong_count() > 0);
        let share = Arc::new(Self::default());
        shares.insert(key, Arc::downgrade(&share));
        share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forges_of_one_credential_share_and_others_do_not() {
        let one = Share::of("https://a", "t");
        assert!(Arc::ptr_eq(&one, &Share::of("https://a", "t")));
        assert!(!Arc::ptr_eq(&one, &Share::of("https://a", "u")));
        assert!(!Arc::ptr_eq(&one, &Share::of("https://b", "t")));
    }
}
