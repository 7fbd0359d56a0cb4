//! The environment of a stage.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

use selfext_domain::VariablePattern;

/// Variables that say where a tool chain is installed. None of these places holds credentials: `CARGO_HOME`, for one, does,
/// and is not here.
const TOOL_CHAINS: &[&str] = &["RUSTUP_HOME", "PYENV_ROOT", "NVM_DIR", "VOLTA_HOME", "GOROOT", "JAVA_HOME"];

/// Those of them that have a place in the user's home when they are not set.
const IN_HOME: &[(&str, &str)] = &[("RUSTUP_HOME", ".rustup"), ("PYENV_ROOT", ".pyenv")];

/// The path of a machine that sets none.
const ORDINARY_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// What stages get of this process's environment, and nothing else of it: the absolute parts of `PATH`, and the absolute
/// values of `RUSTUP_HOME`, `PYENV_ROOT`, `NVM_DIR`, `VOLTA_HOME`, `GOROOT` and `JAVA_HOME`, the first two also if they stand
/// unnamed in the home folder; and those that the rules name for a stage, without what looks like a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct StageEnvironment {
    path: OsString,
    tool_chains: BTreeMap<&'static str, OsString>,
    home: Option<PathBuf>,
    /// What the rules may let pass. None of it looks like a secret.
    others: BTreeMap<String, String>,
}

impl fmt::Debug for StageEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StageEnvironment")
            .field("path", &self.path)
            .field("tool_chains", &self.tool_chains)
            .finish_non_exhaustive()
    }
}

impl StageEnvironment {
    /// Reads the environment of this process.
    #[must_use]
    pub fn of_this_process() -> Self {
        Self::from_lookup(|name| std::env::var_os(name)).with_variables(std::env::vars_os())
    }

    /// Takes the variables that the rules may let pass. Those that look like secrets are left out whatever the rules say.
    #[must_use]
    pub fn with_variables(mut self, variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let Ok(all) = VariablePattern::parse("*") else { return self };
        let texts = variables
            .into_iter()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        self.others = texts.filter(|(name, value)| all.lets_pass(name, value)).collect();
        self
    }

    /// Reads another environment.
    #[must_use]
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        let absolute = |name: &str| lookup(name).filter(|value| Path::new(value).is_absolute());
        let mut tool_chains: BTreeMap<_, _> =
            TOOL_CHAINS.iter().filter_map(|name| Some((*name, absolute(name)?))).collect();
        let home = absolute("HOME").map(PathBuf::from);
        if let Some(home) = &home {
            for (name, folder) in IN_HOME {
                let place = home.join(folder);
                if !tool_chains.contains_key(name) && place.is_dir() {
                    tool_chains.insert(name, place.into());
                }
            }
        }
        // A relative part would be looked for in the candidate.
        let given = lookup("PATH").unwrap_or_default();
        let parts: Vec<PathBuf> = std::env::split_paths(&given).filter(|part| part.is_absolute()).collect();
        let path = std::env::join_paths(&parts).ok().filter(|path| !path.is_empty());
        Self { path: path.unwrap_or_else(|| ORDINARY_PATH.into()), tool_chains, home, others: BTreeMap::new() }
    }

    /// The user's home folder.
    pub(crate) fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    /// Where programs and tool chains were found, and packages that a tool chain may read. `~/.cargo` itself is not there: its
    /// credentials lie beside its packages.
    pub(crate) fn found(&self) -> Vec<PathBuf> {
        let packages = [".cargo/registry", ".cargo/git", "go/pkg/mod"];
        let packages = self.home.iter().flat_map(|home| packages.map(|name| home.join(name)));
        std::env::split_paths(&self.path).chain(self.tool_chains.values().map(PathBuf::from)).chain(packages).collect()
    }

    /// The variables that patterns let pass.
    pub(super) fn passing(&self, patterns: &[VariablePattern]) -> impl Iterator<Item = (&str, &str)> {
        let passes = |(name, value): &(&String, &String)| patterns.iter().any(|pattern| pattern.lets_pass(name, value));
        self.others.iter().filter(passes).map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(crate) fn path(&self) -> &OsStr {
        &self.path
    }

    /// What decides about a stage's outcome, as text that is the same for every run.
    pub(super) fn told(&self, patterns: &[VariablePattern]) -> BTreeMap<String, String> {
        let (home, temporary, run) = (Path::new("home"), Path::new("tmp"), Path::new("run"));
        let own = self.variables(home, temporary, run).into_iter();
        let own = own.map(|(name, value)| (name.to_owned(), value.to_string_lossy().into_owned()));
        let passing = self.passing(patterns).map(|(name, value)| (name.to_owned(), value.to_owned()));
        passing.chain(own).collect()
    }

    /// What a stage gets without the rules' asking.
    pub(super) fn variables(
        &self,
        home: &Path,
        temporary: &Path,
        run_folder: &Path,
    ) -> BTreeMap<&'static str, OsString> {
        let mut variables = self.tool_chains.clone();
        variables.extend([
            ("PATH", self.path.clone()),
            ("LANG", "C.UTF-8".into()),
            ("CI", "true".into()),
            ("SELFEXT", "1".into()),
            ("HOME", home.into()),
            ("TMPDIR", temporary.into()),
            // A repository above the cache, such as one of the home folder, is not the candidate's.
            ("GIT_CEILING_DIRECTORIES", run_folder.into()),
        ]);
        variables
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)]) -> StageEnvironment {
        StageEnvironment::from_lookup(|wanted| {
            variables.iter().find(|(name, _)| *name == wanted).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn only_what_is_listed_passes_and_only_absolute_places() {
        let environment = from(&[
            ("PATH", "/a:rel:.::/b"),
            ("RUSTUP_HOME", "/rustup"),
            ("GOROOT", "here"),
            ("CARGO_HOME", "/cargo"),
            ("GITHUB_TOKEN", "hush"),
            ("HOME", "/nowhere"),
        ]);
        let variables = environment.variables(Path::new("/r/home"), Path::new("/r/tmp"), Path::new("/r"));
        let names: Vec<_> = variables.keys().copied().collect();
        assert_eq!(
            names,
            ["CI", "GIT_CEILING_DIRECTORIES", "HOME", "LANG", "PATH", "RUSTUP_HOME", "SELFEXT", "TMPDIR"]
        );
        assert_eq!(variables["PATH"], "/a:/b");
        assert_eq!(variables["HOME"], "/r/home");
    }

    #[test]
    fn the_rules_let_variables_pass_but_no_secret() {
        let given =
            [("TZ", "UTC"), ("CI_JOB", "7"), ("CI_TOKEN", "hush"), ("CI_LOG", "https://u:hush@host/"), ("OTHER", "x")];
        let given = given.map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let environment = from(&[]).with_variables(given);
        let patterns = ["TZ", "CI_*"].map(|pattern| VariablePattern::parse(pattern).unwrap());
        assert_eq!(environment.passing(&patterns).collect::<Vec<_>>(), [("CI_JOB", "7"), ("TZ", "UTC")]);
        assert_eq!(environment.passing(&[]).count(), 0);
        assert!(!format!("{environment:?}").contains("hush"));
    }

    #[test]
    fn a_missing_path_is_the_ordinary_one() {
        assert_eq!(from(&[]).path(), ORDINARY_PATH);
        assert_eq!(from(&[("PATH", "bin:.")]).path(), ORDINARY_PATH);
    }

    #[test]
    fn a_tool_chain_in_the_home_folder_is_found() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".rustup")).unwrap();
        let environment = from(&[("HOME", home.path().to_str().unwrap())]);
        assert_eq!(environment.tool_chains["RUSTUP_HOME"], home.path().join(".rustup"));
        assert!(!environment.tool_chains.contains_key("PYENV_ROOT"));
    }
}
