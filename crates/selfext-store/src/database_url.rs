//! The address of a database, which may hold a password and never shows it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use url::Url;

/// What a shown address has where its password is.
const HIDDEN: &str = "***";

/// Why a text is no address of a database. The text itself is not shown: it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    /// It begins with none of the known schemes.
    #[error("a database's URL begins with postgres://, postgresql:// or sqlite://")]
    Scheme,
    /// It begins like one of Postgres, but is no URL.
    #[error(
        "the URL of the Postgres database cannot be read; special characters of its password have to be percent-encoded"
    )]
    Postgres,
    /// It names no file.
    #[error("the URL of the SQLite database names no file")]
    NoFile,
    /// It names a database in memory.
    #[error("a ledger in memory would not survive the process; give sqlite:// a file")]
    InMemory,
}

/// The address of a database: `postgres://…` or `postgresql://…` for a server, `sqlite://PATH` or `sqlite:PATH` for a file.
///
/// For Postgres it is what libpq takes, with its parameters; a pooler in between has to pass on the start-up parameter
/// `options`, which carries the limits of time. For SQLite everything behind the scheme is the path, as it is.
/// Shown or debugged, the password is hidden.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(Address);

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Address {
    Postgres(Box<Url>),
    Sqlite(PathBuf),
}

impl DatabaseUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// [`DatabaseUrlError`] says what is wrong with the text, without the text.
    pub fn parse(text: &str) -> Result<Self, DatabaseUrlError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            let url = Url::parse(text).map_err(|_| DatabaseUrlError::Postgres)?;
            return Ok(Self(Address::Postgres(Box::new(url))));
        }
        let path =
            text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")).ok_or(DatabaseUrlError::Scheme)?;
        match path {
            "" => Err(DatabaseUrlError::NoFile),
            ":memory:" => Err(DatabaseUrlError::InMemory),
            path => Ok(Self::sqlite(path)),
        }
    }

    /// The address of a SQLite file.
    #[must_use]
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self(Address::Sqlite(path.into()))
    }

    /// The path, if it is that of a SQLite file.
    #[must_use]
    pub fn sqlite_path(&self) -> Option<&Path> {
        match &self.0 {
            Address::Postgres(_) => None,
            Address::Sqlite(path) => Some(path),
        }
    }

    pub(crate) const fn address(&self) -> &Address {
        &self.0
    }
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Address::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Address::Postgres(url) => f.write_str(shown(url).as_str()),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

/// The URL without what may be secret: its password, and every parameter's value but those that say where.
fn shown(url: &Url) -> Url {
    let mut shown = url.clone();
    if shown.password().is_some() {
        // Only a URL without a host refuses, and that has no password.
        let _ = shown.set_password(Some(HIDDEN));
    }
    if url.query().is_some() {
        let open = ["host", "hostaddr", "port", "dbname", "user", "sslmode", "application_name"];
        let pairs = url.query_pairs().map(|(key, value)| {
            let value = if open.contains(&key.as_ref()) { value } else { HIDDEN.into() };
            (key, value)
        });
        shown.query_pairs_mut().clear().extend_pairs(pairs);
    }
    shown.set_fragment(None);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_and_files_are_told_apart() {
        for server in
            ["postgres://h/db", "postgresql://u:p@h:5433/db?sslmode=require", "postgres:///db?host=/run/postgresql"]
        {
            assert!(DatabaseUrl::parse(server).unwrap().sqlite_path().is_none(), "{server}");
        }
        for (file, path) in
            [("sqlite:///a/b.db", "/a/b.db"), ("sqlite:b.db", "b.db"), ("sqlite://x%20y?z.db", "x%20y?z.db")]
        {
            assert_eq!(DatabaseUrl::parse(file).unwrap().sqlite_path(), Some(Path::new(path)));
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_reason() {
        let table = [
            ("", DatabaseUrlError::Scheme),
            ("mysql://h/db", DatabaseUrlError::Scheme),
            ("/a/b.db", DatabaseUrlError::Scheme),
            ("postgres://u:p/w@[h/db", DatabaseUrlError::Postgres),
            ("sqlite://", DatabaseUrlError::NoFile),
            ("sqlite:", DatabaseUrlError::NoFile),
            ("sqlite::memory:", DatabaseUrlError::InMemory),
        ];
        for (text, error) in table {
            assert_eq!(DatabaseUrl::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let table = [
            (
                "postgres://ops:s3cr3t@db.example:5433/l?sslmode=require",
                "postgres://ops:***@db.example:5433/l?sslmode=require",
            ),
            ("postgres://db.example/l?user=ops&password=s3cr3t", "postgres://db.example/l?user=ops&password=***"),
            ("postgres://db.example/l?options=-c%20x=s3cr3t#s3cr3t", "postgres://db.example/l?options=***"),
            ("postgres://ops:s3cr%2Ft@db.example/l", "postgres://ops:***@db.example/l"),
        ];
        for (text, expected) in table {
            let url = DatabaseUrl::parse(text).unwrap();
            assert_eq!(url.to_string(), expected);
            assert!(!format!("{url:?}").contains("s3cr"));
        }
        for broken in ["postgres://u:s3cr3t/w@[h/db", "s3cr3t"] {
            let error = DatabaseUrl::parse(broken).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("s3cr3t"));
        }
    }
}
