//! What the process above a stage tells about its end.

use std::io::{self, Read};
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

/// How a stage's main process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// The processor time of everything that the stage ran, in microseconds, as far as it was waited for.
    pub(crate) cpu_micros: u64,
}

/// What was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// A wall could not be raised, so that nothing of the candidate ran: which step, and the error number.
    NotRaised {
        step: i32,
        errno: i32,
    },
    Ended(Ended),
}

pub(super) const NOT_RAISED: i32 = 1;
pub(super) const ENDED: i32 = 2;

/// A record as it is written, in one piece: tag, first, second, a zero, and a number of eight bytes.
pub(super) const LENGTH: usize = 24;

pub(super) fn write(tag: i32, first: i32, second: i32, number: u64) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    bytes[..4].copy_from_slice(&tag.to_ne_bytes());
    bytes[4..8].copy_from_slice(&first.to_ne_bytes());
    bytes[8..12].copy_from_slice(&second.to_ne_bytes());
    bytes[16..].copy_from_slice(&number.to_ne_bytes());
    bytes
}

impl Record {
    /// Reads the one record of a pipe whose writers are all gone; `None` if they went without a word.
    pub(super) fn read(pipe: &mut impl Read) -> io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        pipe.take(LENGTH as u64).read_to_end(&mut bytes)?;
        let word = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(i32::from_ne_bytes);
        let number = bytes.get(16..24).and_then(|eight| eight.try_into().ok()).map(u64::from_ne_bytes);
        Ok(match (word(0), word(4), word(8), number) {
            (Some(NOT_RAISED), Some(step), Some(errno), Some(_)) => Some(Self::NotRaised { step, errno }),
            (Some(ENDED), Some(status), Some(_), Some(cpu_micros)) => {
                Some(Self::Ended(Ended { status: ExitStatus::from_raw(status), cpu_micros }))
            }
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written_and_half_of_one_is_none() {
        let failed = write(NOT_RAISED, 7, 1, 0);
        assert_eq!(Record::read(&mut &failed[..]).unwrap(), Some(Record::NotRaised { step: 7, errno: 1 }));
        let ended = write(ENDED, 3 << 8, 0, 12_345);
        let Some(Record::Ended(told)) = Record::read(&mut &ended[..]).unwrap() else { panic!() };
        assert_eq!((told.status.code(), told.cpu_micros), (Some(3), 12_345));
        assert_eq!(Record::read(&mut &ended[..20]).unwrap(), None);
        assert_eq!(Record::read(&mut &b""[..]).unwrap(), None);
    }
}
