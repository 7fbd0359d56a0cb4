//! Names of teams.

use crate::InvalidValue;
use crate::newtype::text_newtype;

text_newtype!(
    /// A team of an organization on a forge, as `organization/team`: the team by the short name that its address has.
    TeamName,
    check_team
);

fn check_team(text: &str) -> Result<(), InvalidValue> {
    let refuse = |problem: &str| Err(InvalidValue::new("team", text, problem));
    let Some((organization, slug)) = text.split_once('/') else {
        return refuse("is not of the form organization/team");
    };
    let legal = |part: &str| {
        !part.starts_with('-') && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    if organization.is_empty() || organization.len() > 39 || !legal(organization) {
        return refuse("has an organization that is not 1 to 39 letters, digits, `-` or `_`");
    }
    if slug.is_empty() || slug.len() > 100 || !legal(slug) {
        return refuse("has a team that is not 1 to 100 letters, digits, `-` or `_`, as in the team's address");
    }
    Ok(())
}

impl TeamName {
    /// The organization.
    #[must_use]
    pub fn organization(&self) -> &str {
        self.as_str().split_once('/').map_or("", |(organization, _)| organization)
    }

    /// The team's short name.
    #[must_use]
    pub fn slug(&self) -> &str {
        self.as_str().split_once('/').map_or("", |(_, slug)| slug)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_organization_slash_team_is_a_team() {
        let team = TeamName::parse("octo-org/security_2").unwrap();
        assert_eq!((team.organization(), team.slug()), ("octo-org", "security_2"));
        for bad in
            ["", "security", "@octo-org/security", "o/", "/s", "o/a/b", "o/a b", "o/a\"", "-o/s", &"o/".repeat(2)]
        {
            assert!(TeamName::parse(bad).is_err(), "{bad}");
        }
    }
}
