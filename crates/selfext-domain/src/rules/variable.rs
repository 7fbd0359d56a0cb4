//! Which variables of the agent's environment a stage may get.

use std::fmt;

use crate::redact;

/// Parts of names under which secrets are kept.
const SECRET_PARTS: &[&str] = &[
    "AUTH",
    "BEARER",
    "COOKIE",
    "CREDENTIAL",
    "CREDS",
    "DSN",
    "JWT",
    "KEY",
    "NETRC",
    "OTP",
    "PASS",
    "PRIVATE",
    "PWD",
    "SALT",
    "SECRET",
    "SESSION",
    "SIGNATURE",
    "TOKEN",
    "WEBHOOK",
];

/// Words that make a name a secret's only when they stand alone in it: `PAT` does, `PATH` does not.
const SECRET_WORDS: &[&str] = &["PAT", "PW", "PIN", "URL", "URI", "CONN", "CONNECTION"];

/// Beginnings of names that belong to a service's login, or to selfext and git themselves.
const SECRET_BEGINNINGS: &[&str] = &[
    "AWS_", "AZURE_", "GCP_", "GOOGLE_", "GH_", "GITHUB_", "GITLAB_", "PG", "SELFEXT_", "GIT_", "SSH_", "GPG_",
    "DOCKER_", "KUBE",
];

/// A name of a variable, or the beginning of names, before a final `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariablePattern(String);

impl VariablePattern {
    /// Reads a pattern: letters, digits and underscores, then perhaps one `*`.
    ///
    /// # Errors
    /// Says what is wrong: another character, or a name that looks like a secret's, which no stage gets.
    pub fn parse(text: &str) -> Result<Self, String> {
        let name = text.strip_suffix('*').unwrap_or(text);
        if text.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err("is no name of a variable, nor the beginning of one before a final `*`".to_owned());
        }
        if !text.ends_with('*') && is_secret_name(name) {
            return Err("looks like the name of a secret, which no stage gets".to_owned());
        }
        Ok(Self(text.to_owned()))
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a variable passes: its name matches, and neither its name nor its value looks like a secret.
    #[must_use]
    pub fn lets_pass(&self, name: &str, value: &str) -> bool {
        let matches = self.0.strip_suffix('*').map_or(name == self.0, |beginning| name.starts_with(beginning));
        matches && !looks_secret(name, value)
    }
}

impl fmt::Display for VariablePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a variable's name is one under which secrets are kept, or its value has the form of a secret. Some harmless ones
/// look so too; they do not pass either.
fn looks_secret(name: &str, value: &str) -> bool {
    let has_login =
        value.split("://").skip(1).any(|rest| rest.split(['/', '?', '#']).next().unwrap_or("").contains('@'));
    is_secret_name(name) || has_login || redact(value) != value
}

fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    SECRET_PARTS.iter().any(|part| name.contains(part))
        || name.split('_').any(|word| SECRET_WORDS.contains(&word))
        || SECRET_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_pattern_lets_no_secret_pass() {
        let all = VariablePattern::parse("*").unwrap();
        for name in [
            "GITHUB_TOKEN",
            "github_token",
            "MY_API_KEY",
            "APIKEY",
            "DB_PASSWORD",
            "PGPASSWORD",
            "DATABASE_URL",
            "NPM_PAT",
            "AWS_PROFILE",
            "SSH_AUTH_SOCK",
            "SELFEXT_DATABASE_URL",
            "SESSION_COOKIE",
            "SENTRY_DSN",
            "GIT_ASKPASS",
            "SELFEXT_GITHUB_APP_ID",
            "SELFEXT_GITHUB_APP_KEY",
            "SELFEXT_GITHUB_APP_KEY_FILE",
            "MY_APP_PRIVATE_PEM",
        ] {
            assert!(!all.lets_pass(name, "x"), "{name}");
        }
        for value in [
            "postgres://u:p@host/db",
            &format!("ghp_{}", "a1B2c3D4e5f6".repeat(3)),
            "Bearer abcdefghijklmnopqrstuvwxyz123456",
        ] {
            assert!(!all.lets_pass("HARMLESS", value), "{value}");
        }
        for name in ["PATH_EXTRA", "LANGUAGE", "RUST_BACKTRACE", "NODE_ENV", "TZ"] {
            assert!(all.lets_pass(name, "x"), "{name}");
        }
    }

    #[test]
    fn a_pattern_is_a_name_or_a_beginning() {
        let beginning = VariablePattern::parse("CI_*").unwrap();
        assert!(beginning.lets_pass("CI_JOB", "1") && !beginning.lets_pass("CI", "1"));
        let name = VariablePattern::parse("TZ").unwrap();
        assert!(name.lets_pass("TZ", "UTC") && !name.lets_pass("TZDIR", "/x"));
        for wrong in ["", "A*B", "A-B", "A=B", "**", "MY_TOKEN"] {
            assert!(VariablePattern::parse(wrong).is_err(), "{wrong}");
        }
    }
}
