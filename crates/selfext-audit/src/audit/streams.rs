//! Where each stream stands.

use std::collections::{BTreeMap, HashMap};

use chrono::DateTime;
use selfext_domain::{Digest32, Event, EventBody, FoldError, Link, Run, StreamId};

use super::closed::{Closed, Unlawful};

/// Which stream: the control stream, or a run by the first half of the SHA-256 of its id as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum StreamKey {
    Control,
    Run([u8; 16]),
}

impl StreamKey {
    pub fn of(stored_id: &str) -> Self {
        if stored_id == StreamId::CONTROL {
            return Self::Control;
        }
        let mut half = [0; 16];
        half.copy_from_slice(&Digest32::of(stored_id.as_bytes()).as_bytes()[..16]);
        Self::Run(half)
    }
}

/// The last event of a stream, as far as it is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tail {
    pub sequence: u64,
    pub hash: TailHash,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum TailHash {
    Full(Digest32),
    Half([u8; 16]),
}

impl Tail {
    const START: Self = Self { sequence: 0, hash: TailHash::Full(Link::GENESIS) };
}

impl TailHash {
    pub fn is(&self, other: Digest32) -> bool {
        match self {
            Self::Full(hash) => *hash == other,
            Self::Half(half) => other.as_bytes().starts_with(half),
        }
    }

    pub const fn full(&self) -> Option<Digest32> {
        match self {
            Self::Full(hash) => Some(*hash),
            Self::Half(_) => None,
        }
    }

    pub fn shown(&self) -> String {
        match self {
            Self::Full(hash) => hash.to_string(),
            Self::Half(half) => format!("{}…", hex::encode(half)),
        }
    }
}

/// All streams.
#[derive(Debug)]
pub(super) struct Streams {
    control: Tail,
    open: HashMap<[u8; 16], Run>,
    closed: BTreeMap<[u8; 16], Closed>,
}

impl Streams {
    pub fn new() -> Self {
        Self { control: Tail::START, open: HashMap::new(), closed: BTreeMap::new() }
    }

    pub fn runs(&self) -> u64 {
        (self.open.len() + self.closed.len()) as u64
    }

    pub fn open_runs(&self) -> u64 {
        self.open.len() as u64
    }

    /// Where a stream ends.
    pub fn tail(&self, key: StreamKey) -> Tail {
        let StreamKey::Run(id) = key else { return self.control };
        if let Some(run) = self.open.get(&id) {
            return Tail { sequence: run.sequence(), hash: TailHash::Full(run.tip().hash) };
        }
        let closed = self.closed.get(&id);
        closed.map_or(Tail::START, |closed| Tail { sequence: closed.sequence, hash: TailHash::Half(closed.hash) })
    }

    /// Takes an event that stands behind the stream's last, and judges whether it may.
    pub fn take(&mut self, key: StreamKey, event: &Event, hash: Digest32, sequence: u64) -> Result<(), Unlawful> {
        let StreamKey::Run(id) = key else {
            self.control = Tail { sequence, hash: TailHash::Full(hash) };
            return control_may_hold(&event.body);
        };
        if matches!(event.body, EventBody::Unknown(_)) {
            self.skip(key, hash, sequence);
            return Ok(());
        }
        // No hash binds the database's times, and nothing that the fold decides depends on them.
        let time = DateTime::UNIX_EPOCH;
        let (phase, taken) = if let Some(run) = self.open.get_mut(&id) {
            let taken = run.take(event, hash, time);
            (run.phase(), taken)
        } else if let Some(closed) = self.closed.get_mut(&id) {
            return closed.take(event, hash, sequence);
        } else {
            match Run::begin(event, hash, time) {
                Ok(run) => {
                    self.open.insert(id, run);
                    return Ok(());
                }
                Err(error) => {
                    self.skip(key, hash, sequence);
                    return Err(unlawful(error));
                }
            }
        };
        if let Err(error) = taken {
            self.skip(key, hash, sequence);
            return Err(unlawful(error));
        }
        if !phase.is_open()
            && let Some(run) = self.open.remove(&id)
        {
            self.closed.insert(id, Closed::new(hash, sequence, run.subject(), phase));
        }
        Ok(())
    }

    /// Takes an event without judging it: what is known of the stream is not enough. Its links alone are followed from here on.
    pub fn skip(&mut self, key: StreamKey, hash: Digest32, sequence: u64) {
        match key {
            StreamKey::Control => self.control = Tail { sequence, hash: TailHash::Full(hash) },
            StreamKey::Run(id) => {
                self.open.remove(&id);
                self.closed.insert(id, Closed::unjudged(hash, sequence));
            }
        }
    }
}

fn control_may_hold(body: &EventBody) -> Result<(), Unlawful> {
    match body {
        EventBody::PromotionPauseChanged(_) | EventBody::HistoryAccepted(_) | EventBody::Unknown(_) => Ok(()),
        other => Err(Unlawful {
            expected: "an event of the control stream".to_owned(),
            found: other.event_type().to_owned(),
        }),
    }
}

fn unlawful(error: FoldError) -> Unlawful {
    match error {
        FoldError::Illegal { source, .. } => {
            Unlawful { expected: format!("an event that may follow in {}", source.state), found: source.event_type }
        }
        other => Unlawful { expected: "a legal event of the run".to_owned(), found: other.to_string() },
    }
}
