//! What is kept of a run that is no longer open.

use selfext_domain::{Digest32, Event, EventBody, Phase, Subject};
use sha2::{Digest as _, Sha256};

/// 32 bytes a run; the [module](super) says why they are enough.
#[derive(Clone, Copy, Debug)]
pub(super) struct Closed {
    /// The first half of its last hash.
    pub hash: [u8; 16],
    /// Its last number.
    pub sequence: u64,
    /// 56 bits of its subject's digest.
    subject: [u8; 7],
    /// Where it stands; nothing if the fold cannot judge it any more.
    phase: Option<Phase>,
}

/// Why an event may not follow.
pub(super) struct Unlawful {
    pub expected: String,
    pub found: String,
}

impl Closed {
    pub fn new(hash: Digest32, sequence: u64, subject: &Subject, phase: Phase) -> Self {
        Self { hash: half(hash), sequence, subject: digest(subject), phase: Some(phase) }
    }

    /// A run that the fold cannot judge: its links alone are followed.
    pub const fn unjudged(hash: Digest32, sequence: u64) -> Self {
        Self { hash: half(hash), sequence, subject: [0; 7], phase: None }
    }

    /// Takes one more event whose link was checked.
    pub fn take(&mut self, event: &Event, hash: Digest32, sequence: u64) -> Result<(), Unlawful> {
        (self.hash, self.sequence) = (half(hash), sequence);
        let Some(phase) = self.phase.take() else { return Ok(()) };
        if matches!(event.body, EventBody::Unknown(_)) {
            return Ok(());
        }
        if event.subject.as_ref().map(digest) != Some(self.subject) {
            let found = "an event of another subject, or of none".to_owned();
            return Err(Unlawful { expected: "an event of the run's subject".to_owned(), found });
        }
        self.phase = Phase::after(Some(phase), true, &event.body);
        if self.phase.is_some() {
            return Ok(());
        }
        let expected = format!("an event that may follow in {phase}");
        Err(Unlawful { expected, found: event.body.event_type().to_owned() })
    }
}

const fn half(hash: Digest32) -> [u8; 16] {
    let mut half = [0; 16];
    let mut at = 0;
    while at < 16 {
        half[at] = hash.as_bytes()[at];
        at += 1;
    }
    half
}

fn digest(subject: &Subject) -> [u8; 7] {
    let mut hash = Sha256::new();
    // No part of it holds a newline.
    for part in [subject.repository.as_str(), "\n", subject.base.as_str(), "\n"] {
        hash.update(part);
    }
    hash.update(subject.fingerprint.to_string());
    let hash = hash.finalize();
    [hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_32_bytes() {
        assert_eq!(size_of::<Closed>(), 32);
    }
}
