//! Reading an export.

use std::io::{self, BufRead, Read as _};

use memchr::memchr;

use super::line::{End, Line};
use super::{ExportLine, FORMAT, MAX_LINE, usual};

/// How the line of an event begins, if it is one of [`ExportWriter`](super::ExportWriter)'s.
const EVENT: &[u8] = b"{\"event\":";

/// Why an export cannot be read on. Lines count from 1.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The input failed.
    #[error("line {line} cannot be read")]
    Io {
        /// The line.
        line: u64,
        /// How it failed.
        #[source]
        source: io::Error,
    },
    /// A line is longer than 16 MiB.
    #[error("line {line} is longer than 16 MiB")]
    TooLong {
        /// The line.
        line: u64,
    },
    /// A line is not of the documented form.
    #[error("line {line} is not of the documented form")]
    Malformed {
        /// The line.
        line: u64,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// A line stands where its kind does not belong.
    #[error("line {line}: {found} stands where {expected} belongs")]
    OutOfPlace {
        /// The line.
        line: u64,
        /// What stands there.
        found: &'static str,
        /// What belongs there.
        expected: &'static str,
    },
    /// The export is of a format that this version does not read.
    #[error("the export is of the format {0:?}, which this version does not read")]
    Format(String),
    /// The export has no end: it was cut.
    #[error("the export was cut at line {line}: it has no end")]
    Cut {
        /// The line that is missing or not whole.
        line: u64,
    },
    /// The end counts other lines than there are: some were taken out or put in.
    #[error(
        "the export counts {expected_events} events and {expected_checkpoints} checkpoints, but holds {events} and {checkpoints}"
    )]
    Counts {
        /// How many events the end names.
        expected_events: u64,
        /// How many checkpoints the end names.
        expected_checkpoints: u64,
        /// How many events there were.
        events: u64,
        /// How many checkpoints there were.
        checkpoints: u64,
    },
}

impl ExportError {
    /// Whether the first line already is not that of an export which this version reads.
    #[must_use]
    pub const fn is_of_the_header(&self) -> bool {
        match self {
            Self::Io { line, .. }
            | Self::TooLong { line }
            | Self::Malformed { line, .. }
            | Self::OutOfPlace { line, .. }
            | Self::Cut { line } => *line == 1,
            Self::Format(_) => true,
            Self::Counts { .. } => false,
        }
    }
}

/// Reads an export a line at a time. It stops at the first error, and ends well only behind an end that counts right.
#[derive(Debug)]
pub struct ExportReader<R> {
    input: R,
    bytes: Vec<u8>,
    line: u64,
    counts: End,
    done: bool,
}

impl<R: BufRead> ExportReader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// [`ExportError`] if there is none, or one of another version.
    pub fn new(input: R) -> Result<Self, ExportError> {
        let mut reader = Self { input, bytes: Vec::new(), line: 0, counts: End::default(), done: false };
        if !reader.read_whole_line()? {
            return Err(ExportError::Cut { line: reader.line });
        }
        match reader.parse()? {
            Line::Header(header) if header.format == FORMAT => Ok(reader),
            Line::Header(header) => Err(ExportError::Format(header.format)),
            other => Err(reader.out_of_place(other.kind(), "header")),
        }
    }

    /// The number of the line that was read last, from 1.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// Reads on to the next checkpoint; nothing at the end. What stands in the events before it is not looked at.
    pub(super) fn next_checkpoint(&mut self) -> Result<Option<String>, ExportError> {
        loop {
            self.skip_events();
            if !self.read_whole_line()? {
                return Err(ExportError::Cut { line: self.line });
            }
            if self.bytes.starts_with(EVENT) {
                self.counts.events += 1;
                continue;
            }
            match self.take()? {
                Some(ExportLine::Event(_)) => {}
                Some(ExportLine::Checkpoint(note)) => return Ok(Some(note)),
                None => return Ok(None),
            }
        }
    }

    /// Passes the lines of events that are in the buffer as a whole, without a copy of them.
    fn skip_events(&mut self) {
        // An input that fails does so again when it is read.
        while let Ok(buffered) = self.input.fill_buf()
            && buffered.starts_with(EVENT)
            && let Some(end) = memchr(b'\n', buffered).filter(|end| *end < MAX_LINE)
        {
            self.input.consume(end + 1);
            self.line += 1;
            self.counts.events += 1;
        }
    }

    fn out_of_place(&self, found: &'static str, expected: &'static str) -> ExportError {
        ExportError::OutOfPlace { line: self.line, found, expected }
    }

    fn read_next(&mut self) -> Result<Option<ExportLine>, ExportError> {
        if self.read_whole_line()? { self.take() } else { Err(ExportError::Cut { line: self.line }) }
    }

    /// Takes the line that was read; nothing if it is the end.
    fn take(&mut self) -> Result<Option<ExportLine>, ExportError> {
        match self.parse()? {
            Line::Event(event) => {
                self.counts.events += 1;
                Ok(Some(ExportLine::Event(event)))
            }
            Line::Checkpoint(checkpoint) => {
                self.counts.checkpoints += 1;
                Ok(Some(ExportLine::Checkpoint(checkpoint.note)))
            }
            Line::End(end) => {
                if end != self.counts {
                    return Err(ExportError::Counts {
                        expected_events: end.events,
                        expected_checkpoints: end.checkpoints,
                        events: self.counts.events,
                        checkpoints: self.counts.checkpoints,
                    });
                }
                if self.read_line()? { Err(self.out_of_place("another line", "nothing")) } else { Ok(None) }
            }
            header @ Line::Header(_) => Err(self.out_of_place(header.kind(), "event, checkpoint or end")),
        }
    }

    fn parse(&self) -> Result<Line, ExportError> {
        if let Some(event) = std::str::from_utf8(&self.bytes).ok().and_then(usual::event) {
            return Ok(Line::Event(Box::new(event)));
        }
        serde_json::from_slice(&self.bytes).map_err(|source| ExportError::Malformed { line: self.line, source })
    }

    /// Reads a line that has its newline; false at the end of the input.
    fn read_whole_line(&mut self) -> Result<bool, ExportError> {
        if !self.read_line()? {
            return Ok(false);
        }
        // A cut line and one of another form look alike to JSON; the newline tells them apart.
        match self.bytes.last() {
            Some(b'\n') => Ok(true),
            _ if self.bytes.len() >= MAX_LINE => Err(ExportError::TooLong { line: self.line }),
            _ => Err(ExportError::Cut { line: self.line }),
        }
    }

    /// Reads a line with its newline, or as much of it as may be; false at the end of the input.
    fn read_line(&mut self) -> Result<bool, ExportError> {
        self.line += 1;
        self.bytes.clear();
        let mut limited = self.input.by_ref().take(MAX_LINE as u64);
        let read = limited.read_until(b'\n', &mut self.bytes);
        let read = read.map_err(|source| ExportError::Io { line: self.line, source })?;
        Ok(read > 0)
    }
}

impl<R: BufRead> Iterator for ExportReader<R> {
    type Item = Result<ExportLine, ExportError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let next = self.read_next().transpose();
        self.done = !matches!(next, Some(Ok(_)));
        next
    }
}
