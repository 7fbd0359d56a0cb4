//! A private Postgres server, from the programs that this machine has.

use std::{
    env, fs, io,
    io::Write,
    net::TcpListener,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;
use uuid::Uuid;

use super::{
    owner::{self, Owner},
    settings::{INITDB, PROGRAMS, script, server_settings, variable},
};

/// A Postgres server of one's own on loopback, with a data folder that goes with it. For tests only.
///
/// It listens on a port that was free, takes the superuser `postgres` with a random password, and runs under another
/// account where this process is root. Dropping it stops the server at once and removes its data. A test that kills or
/// restarts the server starts one for itself: the one that [`TEST_DATABASE_URL`](super::TEST_DATABASE_URL) names is
/// shared by all tests.
#[derive(Debug)]
pub struct PrivateCluster {
    programs: PathBuf,
    owner: Option<Owner>,
    home: TempDir,
    url: String,
}

impl PrivateCluster {
    /// Starts a server; it takes connections when this returns.
    ///
    /// Where the programs are missing they are installed, as `scripts/install-postgres` can.
    ///
    /// # Errors
    /// If the programs are neither there nor to be installed, or the server does not start. The server's own words
    /// are in the message.
    pub async fn start() -> Result<Self> {
        tokio::task::spawn_blocking(Self::start_blocking).await.context("starting the server was cut short")?
    }

    fn start_blocking() -> Result<Self> {
        let mut cluster = Self::place(find_or_install_programs()?, owner::to_switch_to()?)?;
        let password = new_password();
        cluster.make(&password)?;
        let port = cluster.start_on_a_free_port()?;
        cluster.url = format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres");
        Ok(cluster)
    }

    /// A place for a server's data, without a server in it.
    fn place(programs: PathBuf, owner: Option<Owner>) -> Result<Self> {
        let home = tempfile::Builder::new()
            .prefix("selfext-postgres-")
            .tempdir_in(match owner {
                Some(_) => owner::reachable_temporary_folder(),
                None => env::temp_dir(),
            })
            .context("no temporary folder for the server's data")?;
        let place = Self { programs, owner, home, url: String::new() };
        place.give_to_owner(place.home.path())?;
        Ok(place)
    }

    /// Another place, for a server of the same programs under the same account.
    pub(super) fn place_beside(&self) -> Result<Self> {
        Self::place(self.programs.clone(), self.owner)
    }

    pub(super) fn set_url(&mut self, url: String) {
        self.url = url;
    }

    /// The URL of the database `postgres`, for the superuser.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The server's data folder.
    #[must_use]
    pub fn data_folder(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// The folder with the server's programs, `pg_ctl` among them.
    #[must_use]
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// Stops the server as a crash would, and starts it again on the same port. It has recovered, and takes
    /// connections, when this returns; committed data is still there. May be repeated.
    ///
    /// # Errors
    /// If the server does not come back.
    pub async fn crash_and_restart(&self) -> Result<()> {
        let mut restart = self.control("restart");
        restart.args(["-m", "immediate", "-t", "60", "-w", "-l"]);
        restart.arg(self.log_file());
        self.run(restart, "pg_ctl restart").await
    }

    /// Stops the server and removes its data.
    ///
    /// # Errors
    /// If a part of the data cannot be removed.
    pub async fn stop(self) -> Result<()> {
        tokio::task::spawn_blocking(move || {
            self.stop_server();
            fs::remove_dir_all(self.home.path()).context("cannot remove the server's data")
        })
        .await
        .context("stopping the server was cut short")?
    }

    fn make(&self, password: &str) -> Result<()> {
        let password_file = self.home.path().join("password");
        fs::write(&password_file, password).context("cannot write the server's password")?;
        self.give_to_owner(&password_file)?;

        let done = self
            .program("initdb")
            .args(INITDB)
            .args(["--username=postgres", "--auth=scram-sha-256", "--pwfile"])
            .arg(&password_file)
            .arg("--pgdata")
            .arg(self.data_folder())
            .output()
            .context("cannot run initdb")?;
        self.check("initdb", &done)?;
        fs::remove_file(password_file).context("cannot remove the password file")
    }

    pub(super) fn start_on_a_free_port(&self) -> Result<u16> {
        let mut attempts_left = 5;
        loop {
            let port = TcpListener::bind(("127.0.0.1", 0))
                .and_then(|listener| listener.local_addr())
                .context("no free port on loopback")?
                .port();
            self.configure(port).context("cannot write the server's configuration")?;
            let done = self
                .control("start")
                .args(["-t", "60", "-w", "-l"])
                .arg(self.log_file())
                .output()
                .context("cannot run pg_ctl")?;
            attempts_left -= 1;
            match self.check("pg_ctl start", &done) {
                Ok(()) => return Ok(port),
                // The port was free a moment ago, and someone else was quicker.
                Err(_) if attempts_left > 0 && self.log().contains("Address already in use") => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes into a file of the data folder what would otherwise be arguments, so that it holds after a restart too.
    fn configure(&self, port: u16) -> io::Result<()> {
        let mut file = fs::OpenOptions::new().append(true).open(self.data_folder().join("postgresql.conf"))?;
        writeln!(file, "listen_addresses = '127.0.0.1'\nport = {port}")?;
        writeln!(file, "unix_socket_directories = ''")?;
        for (name, value) in server_settings() {
            writeln!(file, "{name} = {value}")?;
        }
        Ok(())
    }

    fn stop_server(&self) {
        if self.data_folder().join("postmaster.pid").exists() {
            // Its data is thrown away, so it need not shut down in order. An error means that it is not running.
            let _ = self.control("stop").args(["-m", "immediate", "-w"]).output();
        }
    }

    pub(super) fn control(&self, action: &str) -> Command {
        let mut command = self.program("pg_ctl");
        command.arg(action).arg("-D").arg(self.data_folder());
        command
    }

    pub(super) fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.current_dir(self.home.path());
        for (variable, _) in env::vars_os() {
            if variable.to_string_lossy().starts_with("PG") {
                command.env_remove(variable);
            }
        }
        command.env("LC_ALL", "C");
        if let Some(Owner { uid, gid }) = self.owner {
            command.uid(uid).gid(gid);
        }
        command
    }

    fn give_to_owner(&self, path: &Path) -> Result<()> {
        match self.owner {
            Some(Owner { uid, gid }) => {
                chown(path, Some(uid), Some(gid)).context("cannot hand the server's folder to its account")
            }
            None => Ok(()),
        }
    }

    /// Runs one of the server's programs without blocking a thread.
    pub(super) async fn run(&self, command: Command, what: &str) -> Result<()> {
        let done =
            tokio::process::Command::from(command).output().await.with_context(|| format!("cannot run {what}"))?;
        self.check(what, &done)
    }

    pub(super) fn check(&self, what: &str, done: &Output) -> Result<()> {
        ensure!(
            done.status.success(),
            "{what} failed ({}): {}{}",
            done.status,
            String::from_utf8_lossy(&done.stderr).trim(),
            last_lines(&self.log(), 10),
        );
        Ok(())
    }

    fn log_file(&self) -> PathBuf {
        self.home.path().join("server.log")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }
}

impl Drop for PrivateCluster {
    fn drop(&mut self) {
        self.stop_server();
    }
}

/// A password that nobody guesses: a server in a container is reachable from the network.
pub(super) fn new_password() -> String {
    #[expect(clippy::disallowed_methods, reason = "a test server's password is made here")]
    let id = Uuid::now_v7();
    id.simple().to_string()
}

fn find_or_install_programs() -> Result<PathBuf> {
    if let Some(found) = find_programs() {
        return Ok(found);
    }
    let done = Command::new(script("install-postgres")).status().context("cannot run scripts/install-postgres")?;
    match find_programs() {
        Some(found) => Ok(found),
        None if done.success() => bail!("PostgreSQL was installed, but its programs are not found"),
        None => bail!("PostgreSQL's server programs are not installed"),
    }
}

/// The folder with `initdb`, `pg_ctl` and `postgres`: the one named by the environment, else the newest of the places
/// where Debian puts them outside the search path, else the search path's.
fn find_programs() -> Option<PathBuf> {
    let complete =
        |folder: &PathBuf| ["initdb", "pg_ctl", "postgres"].iter().all(|program| folder.join(program).exists());
    let named = variable(PROGRAMS).map(PathBuf::from);
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let version = entry.ok()?;
            let number = version.file_name().to_str()?.parse().ok()?;
            Some((number, version.path().join("bin")))
        })
        .collect();
    versions.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    let search_path = env::var_os("PATH").unwrap_or_default();
    named
        .into_iter()
        .chain(versions.into_iter().map(|(_, folder)| folder))
        .chain(env::split_paths(&search_path))
        .find(complete)
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].iter().flat_map(|line| ["\n  ", line]).collect()
}
