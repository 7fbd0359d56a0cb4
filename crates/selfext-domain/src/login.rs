//! Names of accounts.

use crate::InvalidValue;
use crate::newtype::text_newtype;

text_newtype!(
    /// An account on a forge, by the name with which it logs in; an app's has `[bot]` behind it. Compare it by [`Login::is`].
    Login,
    check_login
);

fn check_login(text: &str) -> Result<(), InvalidValue> {
    let name = text.strip_suffix("[bot]").unwrap_or(text);
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if name.is_empty() || name.len() > 100 || name.starts_with('-') || !name.chars().all(legal) {
        let problem = "is not 1 to 100 letters, digits, `-` or `_`, with `[bot]` behind it where it is an app's";
        return Err(InvalidValue::new("login", text, problem));
    }
    Ok(())
}

impl Login {
    /// Whether it is this account's. Logins are told apart without regard to the case of ASCII letters.
    #[must_use]
    pub fn is(&self, login: &str) -> bool {
        self.as_str().eq_ignore_ascii_case(login)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_or_an_apps_account_is_a_login_in_any_case() {
        for good in ["octocat", "Octo-Cat_corp", "github-actions[bot]", "0"] {
            assert!(Login::parse(good).unwrap().is(&good.to_uppercase()), "{good}");
        }
        assert!(!Login::parse("ci").unwrap().is("ci[bot]"));
        let long = "a".repeat(101);
        for bad in ["", "[bot]", "@ci", "-ci", "c i", "ci[bot", "ci[bot][bot]", "ci/x", "\u{212A}", &long] {
            assert!(Login::parse(bad).is_err(), "{bad}");
        }
    }
}
