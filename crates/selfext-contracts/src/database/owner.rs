//! The account that a private cluster runs under.

use std::{
    env,
    fs::{self, Metadata},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
};

use anyhow::{Context, Result};

/// An account that is not root. Postgres refuses to run as root, so root lends it one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// The account to switch to, or `None` where this process is not root and needs none.
pub(super) fn to_switch_to() -> Result<Option<Owner>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let accounts = fs::read_to_string("/etc/passwd").context("cannot read the accounts")?;
    ["postgres", "nobody"]
        .iter()
        .find_map(|name| find(&accounts, name))
        .map(Some)
        .context("Postgres cannot run as root, and there is no account `postgres` or `nobody` to lend it")
}

fn find(accounts: &str, name: &str) -> Option<Owner> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then_some(())?;
        Some(Owner { uid: fields.nth(1)?.parse().ok()?, gid: fields.next()?.parse().ok()? })
    })
}

/// A folder for temporary files that another account can reach into.
pub(super) fn reachable_temporary_folder() -> PathBuf {
    let chosen = env::temp_dir();
    [chosen.clone(), "/tmp".into(), "/var/tmp".into()]
        .into_iter()
        .find(|folder| {
            folder.ancestors().all(|ancestor| {
                let searchable = |found: Metadata| found.permissions().mode() & 0o001 != 0;
                ancestor.metadata().is_ok_and(searchable)
            })
        })
        .unwrap_or(chosen)
}

#[cfg(test)]
mod tests {
    use super::{Owner, find};

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let accounts = "root:x:0:0::/root:/bin/sh\nnobodyelse:x:7:8::/:/bin/sh\nnobody:x:65534:65533::/:/bin/sh\n";
        assert_eq!(find(accounts, "nobody"), Some(Owner { uid: 65534, gid: 65533 }));
        assert_eq!(find(accounts, "postgres"), None);
    }
}
