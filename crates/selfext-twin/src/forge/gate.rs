//! Required checks, as branch protection and rulesets enforce them.

use crate::control::{ProtectionSource, RequiredCheck, StatusState};
use crate::git::Oid;
use crate::state::State;

/// How one required check stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Expected,
    Pending,
    Failing,
    Passed,
}

/// What keeps a commit out of a protected branch, in GitHub's words; `None` if nothing does.
///
/// `up_to_date` says whether the commit holds everything that is in the branch.
pub(super) fn obstacle(state: &State, branch: &str, sha: Oid, up_to_date: bool) -> Option<String> {
    state.settings.rules(branch).iter().find_map(|rule| {
        let words = unmet(state, sha, &rule.required).or_else(|| {
            (rule.strict && !up_to_date).then(|| "Head branch is out of date with the base branch.".to_owned())
        })?;
        Some(match rule.source {
            ProtectionSource::Classic => words,
            ProtectionSource::Ruleset => format!("Repository rule violations found\n\n{words}\n\n"),
        })
    })
}

/// What keeps a branch from being moved straight to a commit, in GitHub's words; `None` if nothing does.
pub(crate) fn forbids_move(state: &State, branch: &str, to: Oid) -> Option<String> {
    obstacle(state, branch, to, true)
}

/// Whether a rule of the branch asks for heads that are up to date.
pub(super) fn is_strict(state: &State, branch: &str) -> bool {
    state.settings.rules(branch).iter().any(|rule| rule.strict)
}

/// Whether all required checks of a branch have passed on a commit.
pub(super) fn checks_passed(state: &State, branch: &str, sha: Oid) -> bool {
    let rules = state.settings.rules(branch);
    rules.iter().all(|rule| unmet(state, sha, &rule.required).is_none())
}

fn unmet(state: &State, sha: Oid, required: &[RequiredCheck]) -> Option<String> {
    let standings: Vec<(&str, Standing)> =
        required.iter().map(|check| (check.context.as_str(), standing(state, sha, check))).collect();
    let open: Vec<_> = standings.iter().filter(|(_, how)| *how != Standing::Passed).collect();
    match open[..] {
        [] => None,
        [(context, Standing::Expected)] => Some(format!("Required status check \"{context}\" is expected.")),
        [(context, Standing::Pending)] => Some(format!("Required status check \"{context}\" is pending.")),
        [(context, _)] => Some(format!("Required status check \"{context}\" is failing.")),
        _ => {
            let words =
                [(Standing::Expected, "expected"), (Standing::Pending, "pending"), (Standing::Failing, "failing")];
            let counts: Vec<String> = words
                .iter()
                .map(|(wanted, word)| (open.iter().filter(|(_, how)| how == wanted).count(), word))
                .filter(|(count, _)| *count > 0)
                .map(|(count, word)| format!("{count} {word}"))
                .collect();
            let (unmet, all) = (open.len(), required.len());
            let counts = counts.join(" and ");
            Some(format!("{unmet} of {all} required status checks have not succeeded: {counts}."))
        }
    }
}

/// If both a status and check runs bear the name, all of them must pass.
fn standing(state: &State, sha: Oid, required: &RequiredCheck) -> Standing {
    let statuses = state.latest_statuses(sha).into_iter();
    let statuses =
        statuses.filter(|status| required.app_id.is_none() && status.context == required.context).map(|status| {
            match status.state {
                StatusState::Success => Standing::Passed,
                StatusState::Pending => Standing::Pending,
                StatusState::Error | StatusState::Failure => Standing::Failing,
            }
        });
    let checks = state.latest_checks(sha).into_iter();
    let checks = checks
        .filter(|check| check.name == required.context && required.app_id.is_none_or(|id| id == check.app.id))
        .map(|check| match check.outcome.conclusion() {
            None => Standing::Pending,
            Some(conclusion) if conclusion.passes() => Standing::Passed,
            Some(_) => Standing::Failing,
        });
    statuses.chain(checks).fold(Standing::Expected, |worst, next| match (worst, next) {
        (Standing::Failing, _) | (_, Standing::Failing) => Standing::Failing,
        (Standing::Pending, _) | (_, Standing::Pending) => Standing::Pending,
        _ => next,
    })
}
