//! Who asks, and which repository: an App's tokens, renamed and recreated repositories, and redirects.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod installing;
mod raw;
mod redirects;
mod renaming;
mod renewing;
mod showing;
mod world;
