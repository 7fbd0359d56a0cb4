//! The audit of an export.

use std::io::{BufRead, Seek};

use super::{ExportError, ExportLine, ExportReader};
use crate::audit::{Auditor, Counts, Report, StoredRow};
use crate::note::VerifierKey;

/// How much of an export is best read at a time.
pub const BUFFER: usize = 1 << 20;

/// How many events are audited before it is told again how far it is.
const TOLD_EVERY: u64 = 1_000;

/// Audits an export with its checkpoints, and those that were kept elsewhere (`anchors`). It trusts `keys`, and nothing else.
/// `progress` hears now and then how far it is.
///
/// Checkpoints stand behind what they seal and are wanted before, so it is read twice: first the checkpoints alone.
///
/// # Errors
/// [`ExportError`] if it cannot be read to its end. What is wrong with the ledger is no error but a finding.
pub fn audit(
    mut input: impl BufRead + Seek,
    keys: Vec<VerifierKey>,
    anchors: &[String],
    mut progress: impl FnMut(Counts),
) -> Result<Report, ExportError> {
    let mut auditor = Auditor::new(keys);
    let mut reader = ExportReader::new(&mut input)?;
    while let Some(note) = reader.next_checkpoint()? {
        auditor.checkpoint(&note);
    }
    for note in anchors {
        auditor.anchor(note);
    }
    input.rewind().map_err(|source| ExportError::Io { line: 1, source })?;
    for line in ExportReader::new(input)? {
        if let ExportLine::Event(event) = line? {
            auditor.event(&StoredRow::from(&*event));
            let counts = auditor.counts();
            if counts.events.is_multiple_of(TOLD_EVERY) {
                progress(counts);
            }
        }
    }
    Ok(auditor.finish())
}
