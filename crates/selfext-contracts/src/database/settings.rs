//! What the environment says about the server that tests run on.

use std::{
    env,
    path::{Path, PathBuf},
};

/// The environment variable with the URL of the Postgres server that tests use. Its role must be allowed to create
/// databases; the database it names is only connected to, never written in.
pub const TEST_DATABASE_URL: &str = "SELFEXT_TEST_DATABASE_URL";

/// Where the data of a private cluster lies, exported to the tests that run on one.
pub(super) const DATA_FOLDER: &str = "SELFEXT_TEST_PGDATA";

/// Where the server's programs lie: exported beside [`DATA_FOLDER`], and looked at first when they are searched for.
pub(super) const PROGRAMS: &str = "SELFEXT_TEST_PGBIN";

/// Forces one way to a server: `container`, `cluster` or `url`.
pub(super) const WAY: &str = "SELFEXT_TEST_POSTGRES";

/// The container image to use instead of the official one.
pub(super) const IMAGE: &str = "SELFEXT_TEST_POSTGRES_IMAGE";

/// `on` makes the server sync its writes. Off otherwise: tests survive a killed server, not a power cut.
const FSYNC: &str = "SELFEXT_TEST_FSYNC";

/// The options of `initdb` that both kinds of server get, so that they sort and encode alike.
pub(super) const INITDB: [&str; 3] = ["--encoding=UTF8", "--locale=C", "--no-sync"];

/// The server's settings, the same in a container and in a private cluster.
pub(super) fn server_settings() -> [(&'static str, &'static str); 3] {
    let sync = if variable(FSYNC).as_deref() == Some("on") { "on" } else { "off" };
    [("max_connections", "200"), ("fsync", sync), ("full_page_writes", sync)]
}

/// The value of an environment variable, where it is set and not empty.
pub(super) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// One of the repository's scripts.
pub(super) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts").join(name)
}
