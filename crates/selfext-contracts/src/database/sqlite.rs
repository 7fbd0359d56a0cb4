//! A fresh `SQLite` file for a test.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The place of a `SQLite` database that no one has made yet, in a folder of its own. For tests only.
///
/// The folder, with the journal files that `SQLite` puts beside the database, is removed when this is dropped.
#[derive(Debug)]
pub struct TempSqlite {
    folder: TempDir,
    url: String,
}

impl TempSqlite {
    /// Makes the folder. The file itself is left to the code under test.
    ///
    /// # Panics
    /// If no temporary folder can be made.
    #[must_use]
    pub fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("selfext-sqlite-")
            .tempdir()
            .unwrap_or_else(|error| panic!("no temporary folder for SQLite: {error}"));
        let url = format!("sqlite://{}", file_in(&folder).display());
        Self { folder, url }
    }

    /// The URL of the file, `sqlite:///…/ledger.db`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The path of the file.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        file_in(&self.folder)
    }

    /// The folder that holds the file alone.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Default for TempSqlite {
    fn default() -> Self {
        Self::new()
    }
}

fn file_in(folder: &TempDir) -> PathBuf {
    folder.path().join("ledger.db")
}

#[cfg(test)]
mod tests {
    use super::TempSqlite;

    #[test]
    fn each_file_is_fresh_and_goes_with_its_folder() {
        let (first, second) = (TempSqlite::new(), TempSqlite::new());
        assert_ne!(first.url(), second.url());
        assert!(!first.path().exists());
        assert!(first.url().ends_with("/ledger.db"));

        let folder = first.folder().to_owned();
        drop(first);
        assert!(!folder.exists());
    }
}
