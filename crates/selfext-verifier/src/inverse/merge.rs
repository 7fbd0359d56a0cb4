//! Undoing what landed in a text that others changed too.

use std::fs;
use std::sync::Arc;

use selfext_domain::ports::VerifierError;

use crate::cache::Repository;
use crate::error::blocking;
use crate::run_folder::RunFolder;

/// The largest text that is merged, in bytes.
const LARGEST: usize = 8 << 20;

/// What one file holds in the three commits.
#[derive(Debug)]
pub(super) struct Texts {
    pub(super) now: Arc<[u8]>,
    pub(super) landed: Arc<[u8]>,
    pub(super) before: Arc<[u8]>,
}

/// How a merge went.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Merged {
    Clean(Vec<u8>),
    /// With the places marked that a person has to judge.
    Marked(Vec<u8>),
    /// There are no lines to merge, or too many.
    Impossible(String),
}

impl Texts {
    /// The names of the files that git reads, which are also what the marks are labelled with.
    fn files(&self) -> [(&'static str, &Arc<[u8]>); 3] {
        [("as it is now", &self.now), ("as it landed", &self.landed), ("before it landed", &self.before)]
    }

    /// Merges line by line. What only one side changed since `landed` is taken from there.
    pub(super) async fn merge(&self, repository: &Repository, folder: &RunFolder) -> Result<Merged, VerifierError> {
        const WHAT: &str = "a file that others changed too cannot be merged";
        if self.files().iter().any(|(_, bytes)| bytes.contains(&0)) {
            return Ok(Merged::Impossible("it is binary, and others have changed it since".to_owned()));
        }
        if self.files().iter().any(|(_, bytes)| bytes.len() > LARGEST) {
            let limit = LARGEST >> 20;
            let detail = format!("others have changed it since, and it is larger than the {limit} MiB that are merged");
            return Ok(Merged::Impossible(detail));
        }
        let files = self.files().map(|(name, bytes)| (folder.path().join(name), Arc::clone(bytes)));
        blocking(WHAT, move || files.iter().try_for_each(|(file, bytes)| fs::write(file, bytes))).await?;
        let call = |style: &[&str]| {
            let call = repository.call(WHAT).folder(folder.path()).args(["merge-file", "-p", "-q"]).args(style);
            let call = self.files().iter().fold(call, |call, (name, _)| call.args(["-L", name]));
            call.arg("--").args(self.files().map(|(name, _)| name))
        };
        let answer = call(&[]).answer().await?;
        match answer.code() {
            Some(0) => return Ok(Merged::Clean(answer.into_output())),
            // The number of conflicts.
            Some(1..=127) => {}
            _ => return Err(answer.failure(WHAT)),
        }
        // Once more with what landed between the marks: it shows what is to be undone. Only the marks differ.
        let answer = call(&["--diff3"]).answer().await?;
        match answer.code() {
            Some(1..=127) => Ok(Merged::Marked(answer.into_output())),
            _ => Err(answer.failure(WHAT)),
        }
    }
}
