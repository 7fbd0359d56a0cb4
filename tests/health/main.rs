//! Health windows as an operator and an agent live through them: real processes, real probes, real rollbacks.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod documented;
mod probes;
