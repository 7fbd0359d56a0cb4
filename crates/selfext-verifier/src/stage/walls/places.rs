//! What stages may read besides their own folders.

use std::path::{Path, PathBuf};

/// Where the system's programs and what they need are. None of it is a secret: of `/etc`, what holds passwords and keys is not
/// here.
const SYSTEM: &[&str] = &[
    "/bin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/nix/store",
    "/opt",
    "/sbin",
    "/usr",
    "/etc/alternatives",
    "/etc/bash.bashrc",
    "/etc/ca-certificates",
    "/etc/ca-certificates.conf",
    "/etc/debian_version",
    "/etc/fonts",
    "/etc/gai.conf",
    "/etc/group",
    "/etc/host.conf",
    "/etc/hostname",
    "/etc/hosts",
    "/etc/inputrc",
    "/etc/java",
    "/etc/java-11-openjdk",
    "/etc/java-17-openjdk",
    "/etc/java-21-openjdk",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/locale.alias",
    "/etc/localtime",
    "/etc/login.defs",
    "/etc/magic",
    "/etc/mime.types",
    "/etc/networks",
    "/etc/nsswitch.conf",
    "/etc/os-release",
    "/etc/passwd",
    "/etc/perl",
    "/etc/pki/ca-trust",
    "/etc/pki/tls/certs",
    "/etc/profile",
    "/etc/protocols",
    "/etc/python3",
    "/etc/resolv.conf",
    "/etc/rpc",
    "/etc/services",
    "/etc/shells",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/terminfo",
    "/etc/timezone",
];

/// Folders and files that stages may read and run, besides the run's own folders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReadPlaces(Vec<PathBuf>);

impl ReadPlaces {
    /// The system's places, those of the tool chains that were found, and those that the operator names.
    ///
    /// A place that was only found, on the `PATH` for instance, must not open up what lies above: one that holds the home folder
    /// or the cache is left out. One that the operator names is taken as it is.
    pub(crate) fn new(found: &[PathBuf], home: Option<&Path>, cache: &Path, named: &[PathBuf]) -> Self {
        let holds = |place: &Path, other: &Path| other.starts_with(place) || real(other).starts_with(real(place));
        let harmless = |place: &&PathBuf| {
            !holds(place, cache) && home.is_none_or(|home| !holds(place, home)) && !is_for_credentials(&real(place))
        };
        let mut places: Vec<PathBuf> = SYSTEM.iter().map(PathBuf::from).collect();
        places.extend(found.iter().filter(harmless).cloned());
        places.extend(named.iter().filter(|place| place.is_absolute()).cloned());
        places.retain(|place| place.symlink_metadata().is_ok());
        places.sort();
        places.dedup();
        Self(places)
    }

    pub(crate) fn paths(&self) -> &[PathBuf] {
        &self.0
    }
}

fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// Whether a place is, or lies in, a folder where programs keep credentials.
fn is_for_credentials(place: &Path) -> bool {
    const FOLDERS: &[&str] = &[".ssh", ".gnupg", ".aws", ".azure", ".config", ".docker", ".kube", ".password-store"];
    place.components().any(|part| FOLDERS.iter().any(|folder| part.as_os_str() == *folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_found_place_opens_up_neither_the_home_nor_the_cache_nor_credentials() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["home/.cargo/bin", "home/.ssh/bin", "cache/x", "tools"] {
            std::fs::create_dir_all(at(name)).unwrap();
        }
        std::os::unix::fs::symlink(at("home"), at("link")).unwrap();
        let found = ["home", "home/.cargo/bin", "home/.ssh/bin", "cache", "tools", "link", "none", ""].map(at);
        let places = ReadPlaces::new(&found, Some(&at("home")), &at("cache/x"), &[]);
        let taken: Vec<_> = places.paths().iter().filter(|place| place.starts_with(folder.path())).collect();
        assert_eq!(taken, [&at("home/.cargo/bin"), &at("tools")]);
        let named = ReadPlaces::new(&[], Some(&at("home")), &at("cache/x"), &[at("home"), "relative".into()]);
        assert!(named.paths().contains(&at("home")) && named.paths().iter().all(|place| place.is_absolute()));
    }
}
