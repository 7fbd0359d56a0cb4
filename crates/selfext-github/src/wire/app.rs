//! GitHub Apps, their installations and tokens.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Which App a key belongs to.
#[derive(Deserialize)]
pub(crate) struct WhichApp {
    #[serde(default)]
    slug: Option<String>,
    name: String,
}

impl WhichApp {
    /// What people call it.
    pub(crate) fn name(self) -> String {
        self.slug.unwrap_or(self.name)
    }
}

/// An App's installation.
#[derive(Deserialize)]
pub(crate) struct InstallationBody {
    pub(crate) id: u64,
    /// The App's own id.
    #[serde(default)]
    pub(crate) app_id: Option<u64>,
    #[serde(default)]
    pub(crate) permissions: BTreeMap<String, String>,
}

/// A token to be issued, for one repository.
#[derive(Serialize)]
pub(crate) struct NewToken<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) repository_ids: Option<[u64; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) repositories: Option<[&'a str; 1]>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) permissions: BTreeMap<&'static str, &'static str>,
}

/// A token that was issued. It has no `Debug`, so that nothing shows it.
#[derive(Deserialize)]
pub(crate) struct IssuedToken {
    pub(crate) token: String,
    pub(crate) expires_at: DateTime<Utc>,
}
