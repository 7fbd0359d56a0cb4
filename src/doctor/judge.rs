//! What findings come to, and what mends them: pure rules.

use selfext_domain::ports::{ForgeError, LedgerError, Overview};
use selfext_domain::{BranchName, BranchRules, ControlState, Rules, StageReport, TeamName, error_chain, merge_way};
use selfext_github::{Access, Right};
use selfext_store::StoreError;

use super::Finding;

pub(super) fn no_ledger(error: &StoreError) -> Finding {
    let mend = "Check --database; a Postgres must be reached and brought to this version with `selfext migrate`.";
    Finding::bad("ledger", error_chain(error), mend)
}

pub(super) fn ledger(overview: Result<Overview, LedgerError>) -> Finding {
    match overview.map(|overview| overview.control) {
        Err(error) => {
            Finding::bad("ledger", error_chain(&error), "Check the database; `selfext audit` says what is wrong in it.")
        }
        Ok(Ok(ControlState::Running)) => Finding::good("ledger", "it can be read, and promotion runs"),
        Ok(Ok(ControlState::Paused(pause))) => Finding::warning(
            "ledger",
            format!("promotion is paused by {}: {}", pause.by, pause.reason),
            "`selfext resume --by NAME` once that is over.",
        ),
        Ok(Err(error)) => Finding::bad("ledger", error_chain(&error), "`selfext status` says what frees promotion."),
    }
}

pub(super) fn unreachable(error: &ForgeError) -> Finding {
    let (about, mend) = match error {
        ForgeError::Unauthorized(_) => {
            ("token", "Give a token or an App that may see the repository; docs/identity.md lists the rights.")
        }
        ForgeError::NotFound(_) => {
            ("repository", "Check the repository's name, and that the token or the App may see it.")
        }
        ForgeError::Refused(_) => ("repository", "Check which repository the name leads to; docs/identity.md."),
        ForgeError::RateLimited { .. } => ("limits", "Try again after that."),
        _ => ("forge", "Check the API's address and the network."),
    };
    Finding::bad(about, error_chain(error), mend)
}

pub(super) fn repository(base: &BranchName, access: &Access) -> Vec<Finding> {
    let who = access.login.as_deref().unwrap_or("a GitHub App");
    let mut findings = vec![
        Finding::good("token", format!("requests are made by {who}")),
        Finding::good("repository", format!("{} has the number {}", access.name, access.id)),
    ];
    if access.archived {
        let mend = "Unarchive it: nothing can be written to an archived repository.";
        findings.push(Finding::bad("archived", "the repository is archived", mend));
    }
    for (right, tried) in &access.rights {
        findings.push(match tried {
            Ok(()) => Finding::good("rights", right.as_str()),
            Err(error @ ForgeError::Unauthorized(_)) if *right == Right::CheckRuns => Finding::warning(
                "rights",
                format!("{}: {}", right.as_str(), error_chain(error)),
                "Nothing, if that is meant: the evidence is a commit status then, without annotations. Otherwise give the App the \
                 right.",
            ),
            Err(error) => {
                let mend = format!("Give the token or the App the right \"{}\".", right.as_str());
                Finding::bad("rights", format!("{}: {}", right.as_str(), error_chain(error)), mend)
            }
        });
    }
    if base.as_str() != access.default_branch {
        findings.push(Finding::warning(
            "base",
            format!("changes land on {base}, and the default branch is {}", access.default_branch),
            "Nothing, if that is meant; otherwise say --base.",
        ));
    }
    match &access.base {
        Err(error) => findings.push(Finding::bad(
            "base",
            format!("{base} could not be read: {}", error_chain(error)),
            "Check --base, and that the token or the App may read the branch and its rules.",
        )),
        Ok((tip, _)) => findings.push(Finding::good("base", format!("{base} is at {}", tip.short()))),
    }
    findings
}

/// By which way changes land: what keeps them from a merge queue.
fn queue(rules: &Rules, forge: &BranchRules) -> Option<Finding> {
    match merge_way(rules, forge) {
        Ok(way) => way.is_queue().then(|| Finding::good("merge-queue", "changes go through the base's merge queue")),
        Err(refusal) => {
            let mend = "As it says; docs/github.md tells what a merge queue lands, and what vouches for it.";
            Some(Finding::bad("merge-queue", refusal.detail, mend))
        }
    }
}

/// What the rules file asks for, beside what GitHub does.
pub(super) fn rules(rules: &Rules, forge: &BranchRules, access: &Access) -> Vec<Finding> {
    let mut findings: Vec<Finding> = queue(rules, forge).into_iter().collect();
    let method = rules.merge_method;
    let both = [access.methods.as_ref(), forge.methods.as_ref()];
    findings.push(if both.into_iter().flatten().all(|methods| methods.contains(&method)) {
        Finding::good("merge-method", format!("{} is allowed", method.as_str()))
    } else {
        let mend = "Allow it in the repository's settings, or set merge.method to one that is.";
        Finding::bad("merge-method", format!("the repository does not allow {}", method.as_str()), mend)
    });
    let united = rules.gate.united(forge);
    if united.required.is_empty() {
        findings.push(Finding::warning(
            "required-contexts",
            "no context must be green: a pull request on which nobody reports anything passes on selfext's word alone",
            "Name your CI's contexts in gate.required, or require them in the branch's protection.",
        ));
    }
    match &access.seen {
        Err(error) => findings.push(Finding::warning(
            "required-contexts",
            format!("which contexts are set could not be read: {}", error_chain(error)),
            "Try again.",
        )),
        Ok(seen) => findings.extend(united.required.iter().map(|required| {
            let context = &required.context;
            if seen.contains(context) {
                Finding::good("required-contexts", format!("{context} is set by somebody"))
            } else {
                Finding::warning(
                    "required-contexts",
                    format!("nobody has set {context} on the base's tip or the latest pull requests"),
                    "If nobody ever will, promotions wait for it in vain: check its spelling, and that CI runs on pull requests.",
                )
            }
        })),
    }
    if united.approvals > 0 {
        findings.push(Finding::good("reviews", format!("{} approvals are waited for", united.approvals)));
    }
    findings
}

/// Whether it can be read who is in a team that the rules name.
pub(super) fn team(team: &TeamName, tried: Result<(), ForgeError>) -> Finding {
    match tried {
        Ok(()) => Finding::good("reviews", format!("who is in {team} can be read, of whom one must approve")),
        Err(error) => Finding::bad(
            "reviews",
            error_chain(&error),
            "Check gate.approvals_by_team, and that the token or the App may read the organization's members: docs/identity.md.",
        ),
    }
}

pub(super) fn walls(raised: Result<Vec<StageReport>, String>) -> Vec<Finding> {
    let reports = match raised {
        Ok(reports) => reports,
        Err(error) => {
            let mend = "Mend what it names: a stage could not be run on this machine at all.";
            return vec![Finding::bad("walls", error, mend)];
        }
    };
    let mut findings = Vec::new();
    for report in reports {
        if !report.result.passed() {
            findings.push(Finding::bad("walls", report.summary(), "Mend what it names: not even `true` passes here."));
        }
        findings.extend(report.walls.iter().map(|wall| match wall.missing() {
            None => Finding::good("walls", wall.to_string()),
            Some(_) => Finding::warning(
                "walls",
                wall.to_string(),
                "Verification runs without it unless a stage says isolation = \"required\"; then it does not run here.",
            ),
        }));
    }
    findings
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::Condition;
    use super::*;
    use selfext_domain::{CommitSha, MergeMethod, MergeQueue, RequiredContext};

    fn access() -> Access {
        Access {
            login: Some("agent".into()),
            id: 7,
            name: "o/r".into(),
            default_branch: "main".into(),
            archived: false,
            methods: Some(vec![MergeMethod::Squash]),
            base: Ok((CommitSha::parse("a".repeat(40)).unwrap(), BranchRules::default())),
            rights: vec![(Right::Contents, Ok(()))],
            seen: Ok(BTreeSet::from(["ci".to_owned()])),
        }
    }

    #[test]
    fn an_app_that_may_not_make_check_runs_is_warned_and_no_more() {
        let refused = || Err(ForgeError::Unauthorized("no".into()));
        let main = BranchName::parse("main").unwrap();
        for (tried, condition) in [(Ok(()), Condition::Good), (refused(), Condition::Warning)] {
            let access = Access { rights: vec![(Right::CheckRuns, tried)], ..access() };
            assert_eq!(worst(&repository(&main, &access), "rights"), Some(condition));
        }
    }

    fn file(gate: &str) -> Rules {
        let stage = "[[verification.stage]]\nname = \"t\"\ncommand = [\"true\"]\n";
        Rules::parse(&format!("version = 1\n{gate}\n{stage}")).unwrap()
    }

    fn worst(findings: &[Finding], about: &str) -> Option<Condition> {
        findings.iter().filter(|finding| finding.about == about).map(|finding| finding.condition).max()
    }

    #[test]
    fn what_keeps_every_promotion_from_landing_is_bad_and_says_what_mends_it() {
        let main = BranchName::parse("main").unwrap();
        assert!(repository(&main, &access()).iter().all(|finding| finding.condition == Condition::Good));
        let spoilt = [
            ("archived", Access { archived: true, ..access() }),
            (
                "rights",
                Access { rights: vec![(Right::Statuses, Err(ForgeError::Unauthorized("no".into())))], ..access() },
            ),
            ("base", Access { base: Err(ForgeError::NotFound("branch main".into())), ..access() }),
        ];
        for (about, access) in spoilt {
            let findings = repository(&main, &access);
            assert_eq!(worst(&findings, about), Some(Condition::Bad), "{about}");
            assert!(findings.iter().all(|finding| finding.mend.is_some() == (finding.condition != Condition::Good)));
        }
    }

    #[test]
    fn a_merge_queue_is_told_whether_it_may_be_used() {
        let queue = Some(MergeQueue { method: Some(MergeMethod::Squash), each_passes: true });
        let required = vec![RequiredContext { context: "ci".to_owned(), pin: None }];
        let forge = BranchRules { merge_queue: queue, required, ..BranchRules::default() };
        for (merge, expected) in [("", Condition::Bad), ("[merge]\nmerge_queue = \"enqueue\"", Condition::Good)] {
            assert_eq!(worst(&rules(&file(merge), &forge, &access()), "merge-queue"), Some(expected), "{merge}");
        }
        assert_eq!(worst(&rules(&file(""), &BranchRules::default(), &access()), "merge-queue"), None);
    }

    #[test]
    fn a_context_that_nobody_sets_and_a_method_that_is_not_allowed_are_told() {
        let gate = "[gate]\nrequired = [\"ci\"]";
        let none = BranchRules::default();
        assert_eq!(worst(&rules(&file(gate), &none, &access()), "required-contexts"), Some(Condition::Good));
        let scan = RequiredContext { context: "scan".into(), pin: None };
        let forge = BranchRules { required: vec![scan], ..BranchRules::default() };
        let findings = rules(&file(gate), &forge, &access());
        assert_eq!(worst(&findings, "required-contexts"), Some(Condition::Warning));
        assert!(findings.iter().any(|finding| finding.says.contains("scan")));
        assert_eq!(worst(&rules(&file(""), &none, &access()), "required-contexts"), Some(Condition::Warning));
        let merge = rules(&file("[merge]\nmethod = \"merge\""), &none, &access());
        assert_eq!(worst(&merge, "merge-method"), Some(Condition::Bad));
        let hidden = rules(&file("[merge]\nmethod = \"merge\""), &none, &Access { methods: None, ..access() });
        assert_eq!(worst(&hidden, "merge-method"), Some(Condition::Good));
    }
}
