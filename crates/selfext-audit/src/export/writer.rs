//! Writing an export.

use std::io::{self, Write};

use super::line::{End, Header, Line, Note};
use super::{ExportedEvent, FORMAT, MAX_LINE};

/// Why a line was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The output failed.
    #[error("the export cannot be written")]
    Io(#[from] io::Error),
    /// The line has no JSON.
    #[error("the line has no JSON")]
    Json(#[from] serde_json::Error),
    /// The line is longer than 16 MiB.
    #[error("the line is longer than 16 MiB and could not be read back")]
    TooLong,
}

/// Writes an export as it comes, a line at a time. Give it a buffered writer.
#[derive(Debug)]
pub struct ExportWriter<W> {
    out: W,
    line: Vec<u8>,
    counts: End,
}

impl<W: Write> ExportWriter<W> {
    /// Begins an export with its header.
    ///
    /// # Errors
    /// [`WriteError::Io`].
    pub fn new(out: W) -> Result<Self, WriteError> {
        let mut writer = Self { out, line: Vec::new(), counts: End::default() };
        writer.write(&Line::Header(Header { format: FORMAT.to_owned() }))?;
        Ok(writer)
    }

    /// Writes the next event, in the order of positions.
    ///
    /// # Errors
    /// [`WriteError`]; the export is then of no use.
    pub fn event(&mut self, event: ExportedEvent) -> Result<(), WriteError> {
        self.write(&Line::Event(Box::new(event)))?;
        self.counts.events += 1;
        Ok(())
    }

    /// Writes a checkpoint, behind the last event that it seals.
    ///
    /// # Errors
    /// [`WriteError`]; the export is then of no use.
    pub fn checkpoint(&mut self, note: &str) -> Result<(), WriteError> {
        self.write(&Line::Checkpoint(Note { note: note.to_owned() }))?;
        self.counts.checkpoints += 1;
        Ok(())
    }

    /// Ends the export, without which it counts as cut, and gives the flushed output back.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn finish(mut self) -> Result<W, WriteError> {
        self.write(&Line::End(self.counts))?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn write(&mut self, line: &Line) -> Result<(), WriteError> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, line)?;
        self.line.push(b'\n');
        if self.line.len() > MAX_LINE {
            return Err(WriteError::TooLong);
        }
        Ok(self.out.write_all(&self.line)?)
    }
}
