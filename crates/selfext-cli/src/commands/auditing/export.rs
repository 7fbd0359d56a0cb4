//! `export`.

use std::fs::File;
use std::io::{BufWriter, Write, stdout};
use std::path::Path;

use anyhow::{Context as _, Result};
use selfext::Exported;
use serde_json::json;

use super::super::Ledger;
use crate::exit::{Exit, usage};
use crate::show;

pub async fn run(ledger: &Ledger, to: &Path) -> Result<Exit> {
    let operations = ledger.open().await?;
    if to == Path::new("-") {
        let Exported { events, checkpoints } = operations.export(BufWriter::new(stdout())).await?;
        show::note(&format!("exported {events} events and {checkpoints} checkpoints"));
        return Ok(Exit::Done);
    }
    // Beside its place until it is whole: half an export must not be taken for one.
    if to.exists() {
        return Err(usage(format!("{} is there already and was left as it is", to.display())));
    }
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let failed = || format!("the export could not be written to {}", to.display());
    let draft = tempfile::NamedTempFile::new_in(folder).with_context(failed)?;
    let out = BufWriter::with_capacity(1 << 20, Flushing(draft.reopen().with_context(failed)?));
    let Exported { events, checkpoints } = operations.export(out).await?;
    draft.persist_noclobber(to).with_context(failed)?;
    if ledger.json {
        let to = to.display().to_string();
        show::print_json(
            &json!({"outcome": "exported", "to": to, "events": events, "checkpoints": checkpoints, "exit_code": Exit::Done as u8}),
        );
    } else {
        show::print(&format!("exported {events} events and {checkpoints} checkpoints to {}", to.display()));
    }
    Ok(Exit::Done)
}

/// A file whose bytes are on the disk once it is flushed.
struct Flushing(File);

impl Write for Flushing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.sync_all()
    }
}
