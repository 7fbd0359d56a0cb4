//! Answers that are still true if GitHub says so.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::HeaderValue;

/// The largest answer that is kept.
const MAX_ONE: usize = 1024 * 1024;

/// How much is kept.
const MAX_ALL: usize = 16 * 1024 * 1024;

/// How many answers are kept.
const MAX_COUNT: usize = 512;

/// Answers by their URL, with the entity tag under which GitHub tells that nothing changed. Such a repetition does not
/// count against the limits.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    by_url: HashMap<String, Stored>,
    bytes: usize,
    clock: u64,
}

#[derive(Debug)]
struct Stored {
    tag: HeaderValue,
    body: Vec<u8>,
    used: u64,
}

impl Answers {
    /// The tag of the answer that is kept for a URL.
    pub(crate) fn tag(&self, url: &str) -> Option<HeaderValue> {
        self.kept().by_url.get(url).map(|stored| stored.tag.clone())
    }

    /// The answer that is kept for a URL under this tag.
    pub(crate) fn body(&self, url: &str, tag: &HeaderValue) -> Option<Vec<u8>> {
        let mut kept = self.kept();
        kept.clock += 1;
        let now = kept.clock;
        let stored = kept.by_url.get_mut(url).filter(|stored| stored.tag == tag)?;
        stored.used = now;
        Some(stored.body.clone())
    }

    /// Keeps an answer in the place of an earlier one. Those that were not asked for longest make room.
    pub(crate) fn keep(&self, url: &str, tag: &HeaderValue, body: &[u8]) {
        let mut kept = self.kept();
        kept.forget(url);
        if body.len() > MAX_ONE {
            return;
        }
        kept.clock += 1;
        let stored = Stored { tag: tag.clone(), body: body.to_vec(), used: kept.clock };
        kept.bytes += body.len();
        kept.by_url.insert(url.to_owned(), stored);
        while kept.bytes > MAX_ALL || kept.by_url.len() > MAX_COUNT {
            let oldest = kept.by_url.iter().min_by_key(|(_, stored)| stored.used).map(|(url, _)| url.clone());
            let Some(oldest) = oldest else { break };
            kept.forget(&oldest);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn forget(&mut self, url: &str) {
        if let Some(stored) = self.by_url.remove(url) {
            self.bytes -= stored.body.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: HeaderValue = HeaderValue::from_static("W/\"1\"");
    const TWO: HeaderValue = HeaderValue::from_static("W/\"2\"");

    #[test]
    fn an_answer_is_given_under_its_own_tag_alone() {
        let answers = Answers::default();
        answers.keep("u", &ONE, b"one");
        assert_eq!(answers.tag("u"), Some(ONE));
        assert_eq!(answers.body("u", &ONE).as_deref(), Some(&b"one"[..]));
        answers.keep("u", &TWO, b"two");
        assert_eq!(answers.body("u", &ONE), None);
        assert_eq!(answers.body("u", &TWO).as_deref(), Some(&b"two"[..]));
        answers.keep("u", &ONE, &vec![0; MAX_ONE + 1]);
        assert_eq!(answers.tag("u"), None);
    }

    #[test]
    fn the_least_used_make_room() {
        let answers = Answers::default();
        for number in 0..MAX_COUNT {
            answers.keep(&number.to_string(), &ONE, b"");
        }
        assert!(answers.body("0", &ONE).is_some());
        answers.keep("new", &ONE, b"");
        assert!(answers.tag("0").is_some() && answers.tag("1").is_none());
        let large = vec![0; MAX_ONE];
        for number in 0..40 {
            answers.keep(&format!("large {number}"), &ONE, &large);
        }
        assert!(answers.kept().bytes <= MAX_ALL);
    }
}
