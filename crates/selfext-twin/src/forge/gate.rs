//! Required checks, as branch protection and rulesets enforce them.

use std::collections::BTreeMap;

use crate::control::{Protection, ProtectionSource, RequiredCheck, ReviewState, StatusState};
use crate::git::Oid;
use crate::state::{Pull, State};

/// How one required check stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Expected,
    Pending,
    Failing,
    Passed,
}

/// What keeps a pull request out of its protected base, in GitHub's words; `None` if nothing does.
///
/// `up_to_date` says whether the head holds everything that is in the base.
pub(super) fn obstacle(state: &State, pull: &Pull, up_to_date: bool) -> Option<String> {
    state.settings.rules(&pull.base).iter().find_map(|rule| {
        let words = if pull.queued.is_some() {
            "Pull Request is in the merge queue".to_owned()
        } else if rule.merge_queue {
            "Changes must be made through the merge queue".to_owned()
        } else {
            unmet(state, pull.head_sha, &rule.required).or_else(|| unreviewed(state, pull, rule)).or_else(|| {
                (rule.strict && !up_to_date).then(|| "Head branch is out of date with the base branch.".to_owned())
            })?
        };
        Some(in_words_of(rule, words))
    })
}

/// What keeps a pull request out of the merge queue of its base, in GitHub's words; `None` if nothing does. It need not be up to
/// date: the queue sees to that.
pub(super) fn keeps_out_of_queue(state: &State, pull: &Pull) -> Option<String> {
    let mut rules = state.settings.rules(&pull.base).iter();
    rules.find_map(|rule| unmet(state, pull.head_sha, &rule.required).or_else(|| unreviewed(state, pull, rule)))
}

/// How a commit of a merge queue stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All required checks have passed.
    Green,
    /// One has failed.
    Red,
    /// None has failed, and one has not ended or has not begun.
    Waiting,
}

/// Judges a commit that is to become the next one of a branch by the branch's required checks.
pub(crate) fn verdict(state: &State, branch: &str, commit: Oid) -> Verdict {
    let required = state.settings.rules(branch).iter().flat_map(|rule| &rule.required);
    required.fold(Verdict::Green, |all, check| match (all, standing(state, commit, check)) {
        (Verdict::Red, _) | (_, Standing::Failing) => Verdict::Red,
        (Verdict::Waiting, _) | (_, Standing::Expected | Standing::Pending) => Verdict::Waiting,
        (Verdict::Green, Standing::Passed) => Verdict::Green,
    })
}

/// What keeps a branch from being moved straight to a commit, in GitHub's words; `None` if nothing does.
pub(crate) fn forbids_move(state: &State, branch: &str, to: Oid) -> Option<String> {
    state.settings.rules(branch).iter().find_map(|rule| {
        let only_pulls = rule.merge_queue || rule.approvals > 0;
        let words = only_pulls.then(|| "Changes must be made through a pull request.".to_owned());
        Some(in_words_of(rule, words.or_else(|| unmet(state, to, &rule.required))?))
    })
}

fn in_words_of(rule: &Protection, words: String) -> String {
    match rule.source {
        ProtectionSource::Classic => words,
        ProtectionSource::Ruleset => format!("Repository rule violations found\n\n{words}\n\n"),
    }
}

/// The last word of each reviewer who may write and did not make the pull request counts, whatever commit it was about.
fn unreviewed(state: &State, pull: &Pull, rule: &Protection) -> Option<String> {
    if rule.approvals == 0 {
        return None;
    }
    let mut last = BTreeMap::new();
    for review in state.reviews.get(&pull.number).into_iter().flatten() {
        let counts = review.user != pull.user && state.settings.permission(&review.user).may_write();
        if counts && review.state != ReviewState::Commented {
            last.insert(review.user.as_str(), review.state);
        }
    }
    if last.values().any(|state| *state == ReviewState::ChangesRequested) {
        return Some("Changes have been requested.".to_owned());
    }
    let approvals = last.values().filter(|state| **state == ReviewState::Approved).count();
    (approvals < rule.approvals as usize).then(|| {
        let (count, verb) = (rule.approvals, if rule.approvals == 1 { "review is" } else { "reviews are" });
        format!("At least {count} approving {verb} required by reviewers with write access.")
    })
}

/// Whether a rule of the branch asks for heads that are up to date.
pub(super) fn is_strict(state: &State, branch: &str) -> bool {
    state.settings.rules(branch).iter().any(|rule| rule.strict)
}

/// Whether a pull request has all checks and reviews that its base asks for.
pub(super) fn is_let_through(state: &State, pull: &Pull) -> bool {
    let rules = state.settings.rules(&pull.base);
    rules.iter().all(|rule| {
        !rule.merge_queue
            && unmet(state, pull.head_sha, &rule.required).is_none()
            && unreviewed(state, pull, rule).is_none()
    })
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
