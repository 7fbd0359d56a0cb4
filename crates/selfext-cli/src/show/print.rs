//! Writing to the two outputs. A reader that has gone, as `head` does, is no reason to end a command half-way.

use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

/// Whether it was told that standard output cannot be written.
static TOLD: AtomicBool = AtomicBool::new(false);

/// Writes a line, or several, to standard output. Whether anybody still reads is the answer.
pub fn print(text: &str) -> bool {
    match write(&mut std::io::stdout().lock(), text) {
        Ok(()) => true,
        Err(error) => {
            if error.kind() != ErrorKind::BrokenPipe && !TOLD.swap(true, Ordering::Relaxed) {
                note(&format!("standard output could not be written: {error}"));
            }
            false
        }
    }
}

/// Writes one JSON document on one line to standard output.
pub fn print_json(value: &Value) -> bool {
    print(&value.to_string())
}

/// Writes a line, or several, to standard error. There is nobody to tell if that fails.
pub fn note(text: &str) {
    let _ = write(&mut std::io::stderr().lock(), text);
}

fn write(out: &mut dyn Write, text: &str) -> std::io::Result<()> {
    // One write, so that lines of several processes on one terminal or pipe do not mix.
    out.write_all(format!("{text}\n").as_bytes())?;
    out.flush()
}
