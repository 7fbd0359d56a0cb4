//! The gate: the guard over required commit statuses and check runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{GateRules, Pin};

/// The state of a commit status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusState {
    /// It is green.
    Success,
    /// It is not decided.
    Pending,
    /// It is red.
    Failure,
    /// Whoever sets it failed to.
    Error,
    /// A word that this version does not know.
    Other(String),
}

/// A commit status on the head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitStatus {
    /// The forge's number of it; a later status has a higher one.
    pub id: u64,
    /// The context's name.
    pub context: String,
    /// The login of the account that set it, where that was asked for and the forge tells it.
    pub creator: Option<String>,
    /// Its state.
    pub state: StatusState,
}

/// One check run on the head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckRun {
    /// The forge's number of it; a later run of the same name and app has a higher one.
    pub id: u64,
    /// Its name, the context.
    pub name: String,
    /// The app that set it.
    pub app_id: Option<u64>,
    /// The forge's word for whether it is done: `completed`, or one of several words for "not yet".
    pub status: String,
    /// The forge's word for how it ended; only a completed run has one.
    pub conclusion: Option<String>,
}

/// Everything that was said of one head: all pages of both systems.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GateReading {
    /// The latest status of each context, or all of them.
    pub statuses: Vec<CommitStatus>,
    /// The check runs.
    pub check_runs: Vec<CheckRun>,
}

/// What the gate makes of one context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContextVerdict {
    /// It is green.
    Success,
    /// It is required, and nobody has set it.
    Missing,
    /// It is not decided.
    Pending,
    /// It is red.
    Failing,
    /// It was skipped, and the rules do not take that for success.
    Skipped,
    /// It is neutral, and the rules do not take that for success.
    Neutral,
    /// It is in a state that this version does not know.
    Unknown,
    /// It is required of one app, and only others have set it.
    WrongApp,
    /// It is required of one account, and only others have set it.
    WrongCreator,
}

impl ContextVerdict {
    /// Whether time alone may mend it.
    const fn may_change(self) -> bool {
        matches!(self, Self::Missing | Self::Pending | Self::WrongApp | Self::WrongCreator)
    }
}

/// One context as the gate saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContextFinding {
    /// Its name.
    pub context: String,
    /// What the gate makes of it.
    pub verdict: ContextVerdict,
    /// Whether the rules require it.
    pub required: bool,
}

/// The gate's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GateVerdict {
    /// Every required context is green, and no other is anything else.
    Pass(Vec<ContextFinding>),
    /// Some are missing or pending and none is red: wait, up to a limit.
    Wait(Vec<ContextFinding>),
    /// Some are red, skipped, neutral or unknown.
    Refuse(Vec<ContextFinding>),
}

/// Judges what was said of the head of a pull request.
///
/// Every context that is present must be green, whether required or not, unless the rules list it as optional; every
/// required one must be present. A required context that is pinned to an app is satisfied only by a check run of that app, and one
/// that is pinned to an account only by the latest status that this account set. A context of several apps, or of both systems, is
/// as good as its worst; of its statuses the latest counts.
#[must_use]
pub fn evaluate_gate(rules: &GateRules, reading: &GateReading) -> GateVerdict {
    let said = latest(rules, reading);
    let mut findings: BTreeMap<&str, ContextFinding> = BTreeMap::new();
    for (context, voices) in &said {
        if let Some(verdict) = worst(voices, None).filter(|_| !rules.is_optional(context)) {
            findings.insert(context, ContextFinding { context: (*context).to_owned(), verdict, required: false });
        }
    }
    for required in &rules.required {
        let voices = said.get(required.context.as_str()).map_or(&[][..], Vec::as_slice);
        let verdict = worst(voices, required.pin.as_ref()).unwrap_or(match required.pin {
            Some(Pin::App(_)) if !voices.is_empty() => ContextVerdict::WrongApp,
            Some(Pin::Creator(_)) if !voices.is_empty() => ContextVerdict::WrongCreator,
            _ => ContextVerdict::Missing,
        });
        let finding = findings.entry(&required.context).or_insert_with(|| ContextFinding {
            context: required.context.clone(),
            verdict,
            required: true,
        });
        finding.required = true;
        if severity(verdict) > severity(finding.verdict) {
            finding.verdict = verdict;
        }
    }
    let findings: Vec<_> = findings.into_values().collect();
    if findings.iter().all(|finding| finding.verdict == ContextVerdict::Success) {
        GateVerdict::Pass(findings)
    } else if findings.iter().all(|finding| finding.verdict == ContextVerdict::Success || finding.verdict.may_change())
    {
        GateVerdict::Wait(findings)
    } else {
        GateVerdict::Refuse(findings)
    }
}

/// The latest check run of one app, or the latest status of one account.
struct Voice<'a> {
    by: Speaker<'a>,
    verdict: ContextVerdict,
    /// Whether a later status of another account stands in its place for all who do not ask for this account's.
    covered: bool,
}

/// Who said something.
enum Speaker<'a> {
    App(Option<u64>),
    Account(Option<&'a str>),
}

impl Voice<'_> {
    fn counts_for(&self, pin: Option<&Pin>) -> bool {
        match (pin, &self.by) {
            (None, _) => !self.covered,
            (Some(Pin::App(app)), Speaker::App(by)) => *by == Some(*app),
            (Some(Pin::Creator(login)), Speaker::Account(by)) => by.is_some_and(|by| login.is(by)),
            (Some(_), _) => false,
        }
    }
}

/// The worst of those that count.
fn worst(voices: &[Voice<'_>], pin: Option<&Pin>) -> Option<ContextVerdict> {
    let counted = voices.iter().filter(|voice| voice.counts_for(pin));
    counted.map(|voice| voice.verdict).max_by_key(|verdict| severity(*verdict))
}

/// The worse, the higher.
const fn severity(verdict: ContextVerdict) -> u8 {
    match verdict {
        ContextVerdict::Success => 0,
        ContextVerdict::Pending => 1,
        ContextVerdict::Missing => 2,
        ContextVerdict::WrongApp => 3,
        ContextVerdict::WrongCreator => 4,
        ContextVerdict::Neutral => 5,
        ContextVerdict::Skipped => 6,
        ContextVerdict::Unknown => 7,
        ContextVerdict::Failing => 8,
    }
}

fn latest<'a>(rules: &GateRules, reading: &'a GateReading) -> BTreeMap<&'a str, Vec<Voice<'a>>> {
    let mut newest: BTreeMap<(&str, Option<u64>), &CheckRun> = BTreeMap::new();
    for run in &reading.check_runs {
        let kept = newest.entry((&run.name, run.app_id)).or_insert(run);
        if run.id > kept.id {
            *kept = run;
        }
    }
    let mut said: BTreeMap<&str, Vec<Voice<'_>>> = BTreeMap::new();
    for ((name, app_id), run) in newest {
        said.entry(name).or_default().push(Voice {
            by: Speaker::App(app_id),
            verdict: judge_check_run(rules, run),
            covered: false,
        });
    }
    for (status, covered) in latest_statuses(&reading.statuses) {
        let verdict = match status.state {
            StatusState::Success => ContextVerdict::Success,
            StatusState::Pending => ContextVerdict::Pending,
            StatusState::Failure | StatusState::Error => ContextVerdict::Failing,
            StatusState::Other(_) => ContextVerdict::Unknown,
        };
        said.entry(&status.context).or_default().push(Voice {
            by: Speaker::Account(status.creator.as_deref()),
            verdict,
            covered,
        });
    }
    said
}

/// The latest status of each context and account, and whether the context has a later one.
fn latest_statuses(statuses: &[CommitStatus]) -> impl Iterator<Item = (&CommitStatus, bool)> {
    let mut newest: BTreeMap<&str, u64> = BTreeMap::new();
    let mut of_account: BTreeMap<(&str, Option<String>), &CommitStatus> = BTreeMap::new();
    for status in statuses {
        let id = newest.entry(&status.context).or_insert(status.id);
        *id = status.id.max(*id);
        let account = status.creator.as_ref().map(|login| login.to_ascii_lowercase());
        let kept = of_account.entry((&status.context, account)).or_insert(status);
        if status.id > kept.id {
            *kept = status;
        }
    }
    of_account.into_values().map(move |status| (status, newest.get(&*status.context) != Some(&status.id)))
}

fn judge_check_run(rules: &GateRules, run: &CheckRun) -> ContextVerdict {
    match (run.status.as_str(), run.conclusion.as_deref()) {
        ("completed", Some("success")) => ContextVerdict::Success,
        ("completed", Some("skipped")) if rules.accept_skipped => ContextVerdict::Success,
        ("completed", Some("neutral")) if rules.accept_neutral => ContextVerdict::Success,
        ("completed", Some("skipped")) => ContextVerdict::Skipped,
        ("completed", Some("neutral")) => ContextVerdict::Neutral,
        (
            "completed",
            Some("failure" | "cancelled" | "timed_out" | "action_required" | "stale" | "startup_failure"),
        ) => ContextVerdict::Failing,
        ("queued" | "in_progress" | "waiting" | "requested" | "pending", None) => ContextVerdict::Pending,
        _ => ContextVerdict::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{EVIDENCE_CONTEXT, Login, RequiredContext};

    fn rules(required: &[(&str, Option<u64>)]) -> GateRules {
        let required = required
            .iter()
            .map(|(context, app_id)| RequiredContext { context: (*context).into(), pin: app_id.map(Pin::App) });
        GateRules { required: required.collect(), ..GateRules::default() }
    }

    fn of_creator(login: &str) -> GateRules {
        let pin = Some(Pin::Creator(Login::parse(login).unwrap()));
        GateRules { required: vec![RequiredContext { context: "ci".into(), pin }], ..GateRules::default() }
    }

    fn status(context: &str, state: StatusState) -> CommitStatus {
        CommitStatus { id: 1, context: context.into(), creator: None, state }
    }

    fn said_by(id: u64, creator: Option<&str>, state: StatusState) -> CommitStatus {
        CommitStatus { id, creator: creator.map(Into::into), ..status("ci", state) }
    }

    fn run(id: u64, name: &str, app_id: u64, status: &str, conclusion: Option<&str>) -> CheckRun {
        CheckRun {
            id,
            name: name.into(),
            app_id: Some(app_id),
            status: status.into(),
            conclusion: conclusion.map(Into::into),
        }
    }

    fn one(verdict: &GateVerdict, context: &str) -> ContextVerdict {
        let (GateVerdict::Pass(all) | GateVerdict::Wait(all) | GateVerdict::Refuse(all)) = verdict;
        all.iter().find(|finding| finding.context == context).unwrap().verdict
    }

    #[test]
    fn each_state_of_a_required_check_run_is_told_apart_and_only_success_passes() {
        let table = [
            ("completed", Some("success"), ContextVerdict::Success),
            ("completed", Some("failure"), ContextVerdict::Failing),
            ("completed", Some("cancelled"), ContextVerdict::Failing),
            ("completed", Some("timed_out"), ContextVerdict::Failing),
            ("completed", Some("action_required"), ContextVerdict::Failing),
            ("completed", Some("stale"), ContextVerdict::Failing),
            ("completed", Some("skipped"), ContextVerdict::Skipped),
            ("completed", Some("neutral"), ContextVerdict::Neutral),
            ("completed", Some("wonderful"), ContextVerdict::Unknown),
            ("completed", None, ContextVerdict::Unknown),
            ("queued", None, ContextVerdict::Pending),
            ("in_progress", None, ContextVerdict::Pending),
            ("in_progress", Some("success"), ContextVerdict::Unknown),
            ("dreaming", None, ContextVerdict::Unknown),
        ];
        for (status, conclusion, expected) in table {
            let reading =
                GateReading { check_runs: vec![run(1, "ci", 5, status, conclusion)], ..GateReading::default() };
            let verdict = evaluate_gate(&rules(&[("ci", None)]), &reading);
            assert_eq!(one(&verdict, "ci"), expected, "{status} {conclusion:?}");
            assert_eq!(matches!(verdict, GateVerdict::Pass(_)), expected == ContextVerdict::Success);
            assert_eq!(matches!(verdict, GateVerdict::Wait(_)), expected == ContextVerdict::Pending);
        }
    }

    #[test]
    fn each_state_of_a_status_is_told_apart() {
        let table = [
            (StatusState::Success, ContextVerdict::Success),
            (StatusState::Pending, ContextVerdict::Pending),
            (StatusState::Failure, ContextVerdict::Failing),
            (StatusState::Error, ContextVerdict::Failing),
            (StatusState::Other("odd".into()), ContextVerdict::Unknown),
        ];
        for (state, expected) in table {
            let reading = GateReading { statuses: vec![status("ci", state)], ..GateReading::default() };
            assert_eq!(one(&evaluate_gate(&rules(&[("ci", None)]), &reading), "ci"), expected);
        }
    }

    #[test]
    fn a_red_check_run_beside_a_green_status_blocks_required_or_not() {
        let reading = GateReading {
            statuses: vec![status("ci", StatusState::Success)],
            check_runs: vec![run(1, "other", 5, "completed", Some("failure"))],
        };
        let verdict = evaluate_gate(&rules(&[("ci", None)]), &reading);
        assert!(matches!(verdict, GateVerdict::Refuse(_)) && one(&verdict, "other") == ContextVerdict::Failing);
        let same_name =
            GateReading { check_runs: vec![run(1, "ci", 5, "completed", Some("failure"))], ..reading.clone() };
        assert!(matches!(evaluate_gate(&rules(&[("ci", None)]), &same_name), GateVerdict::Refuse(_)));
        let optional = GateRules { optional: vec!["other".into()], ..rules(&[("ci", None)]) };
        assert!(matches!(evaluate_gate(&optional, &reading), GateVerdict::Pass(_)));
    }

    #[test]
    fn selfexts_own_evidence_satisfies_no_gate_that_names_others() {
        let reading =
            GateReading { statuses: vec![status(EVIDENCE_CONTEXT, StatusState::Success)], ..GateReading::default() };
        let verdict = evaluate_gate(&rules(&[("ci", None)]), &reading);
        assert!(matches!(verdict, GateVerdict::Wait(_)) && one(&verdict, "ci") == ContextVerdict::Missing);
    }

    #[test]
    fn a_context_pinned_to_an_app_counts_from_that_app_alone() {
        let rules = rules(&[("ci", Some(7))]);
        let forged = GateReading {
            statuses: vec![status("ci", StatusState::Success)],
            check_runs: vec![run(1, "ci", 8, "completed", Some("success"))],
        };
        assert_eq!(one(&evaluate_gate(&rules, &forged), "ci"), ContextVerdict::WrongApp);
        let genuine =
            GateReading { check_runs: vec![run(2, "ci", 7, "completed", Some("success"))], ..GateReading::default() };
        assert!(matches!(evaluate_gate(&rules, &genuine), GateVerdict::Pass(_)));
    }

    #[test]
    fn a_context_pinned_to_an_account_counts_from_its_statuses_alone() {
        use ContextVerdict::{Failing, Missing, Pending, Success, WrongCreator};
        let (green, red, pending) = (StatusState::Success, StatusState::Failure, StatusState::Pending);
        let table = vec![
            (vec![], Missing),
            (vec![(Some("ci-bot[bot]"), &green)], Success),
            (vec![(Some("CI-Bot[BOT]"), &green)], Success),
            (vec![(Some("ci-bot"), &green)], WrongCreator),
            (vec![(Some("mallory"), &green)], WrongCreator),
            (vec![(None, &green)], WrongCreator),
            // Who else says it, and when, hides nothing of what the account said.
            (vec![(Some("ci-bot[bot]"), &pending), (Some("mallory"), &green)], Pending),
            (vec![(Some("mallory"), &green), (Some("ci-bot[bot]"), &red)], Failing),
            (vec![(Some("ci-bot[bot]"), &red), (Some("mallory"), &green)], Failing),
            (vec![(Some("mallory"), &red), (Some("ci-bot[bot]"), &green)], Success),
            // The latest status of a context is one that must be green, whoever set it, as for GitHub itself.
            (vec![(Some("ci-bot[bot]"), &green), (Some("mallory"), &red)], Failing),
            (vec![(Some("ci-bot[bot]"), &green), (None, &pending)], Pending),
            (vec![(Some("ci-bot[bot]"), &red), (Some("Ci-bot[bot]"), &green)], Success),
        ];
        for (said, expected) in table {
            for order in [false, true] {
                let mut statuses: Vec<_> =
                    said.iter().zip(1..).map(|((by, state), id)| said_by(id, *by, (*state).clone())).collect();
                if order {
                    statuses.reverse();
                }
                let reading = GateReading { statuses, ..GateReading::default() };
                let verdict = evaluate_gate(&of_creator("ci-bot[bot]"), &reading);
                assert_eq!(one(&verdict, "ci"), expected, "{said:?}");
                assert_eq!(matches!(verdict, GateVerdict::Pass(_)), expected == Success, "{said:?}");
                assert_eq!(matches!(verdict, GateVerdict::Refuse(_)), expected == Failing, "{said:?}");
            }
        }
    }

    #[test]
    fn no_check_run_counts_for_an_account() {
        let check_runs = vec![run(1, "ci", 8, "completed", Some("success"))];
        let reading = GateReading { check_runs, ..GateReading::default() };
        assert_eq!(one(&evaluate_gate(&of_creator("ci"), &reading), "ci"), ContextVerdict::WrongCreator);
    }

    #[test]
    fn the_latest_run_of_an_app_counts_and_each_app_has_its_own() {
        let rules = rules(&[("ci", None)]);
        let rerun = vec![run(2, "ci", 7, "completed", Some("success")), run(1, "ci", 7, "completed", Some("failure"))];
        assert!(matches!(
            evaluate_gate(&rules, &GateReading { check_runs: rerun, ..GateReading::default() }),
            GateVerdict::Pass(_)
        ));
        let two = vec![run(1, "ci", 7, "completed", Some("failure")), run(2, "ci", 8, "completed", Some("success"))];
        assert!(matches!(
            evaluate_gate(&rules, &GateReading { check_runs: two, ..GateReading::default() }),
            GateVerdict::Refuse(_)
        ));
    }

    #[test]
    fn skipped_and_neutral_pass_only_where_the_rules_say_so() {
        for (conclusion, accepting) in [
            ("skipped", GateRules { accept_skipped: true, ..rules(&[("ci", None)]) }),
            ("neutral", GateRules { accept_neutral: true, ..rules(&[("ci", None)]) }),
        ] {
            let reading = GateReading {
                check_runs: vec![run(1, "ci", 7, "completed", Some(conclusion))],
                ..GateReading::default()
            };
            assert!(matches!(evaluate_gate(&rules(&[("ci", None)]), &reading), GateVerdict::Refuse(_)));
            assert!(matches!(evaluate_gate(&accepting, &reading), GateVerdict::Pass(_)));
        }
    }

    proptest! {
        #[test]
        fn a_gate_passes_only_if_every_required_context_is_there_and_green(
            required in proptest::collection::vec("[a-d]", 0..4),
            said in proptest::collection::vec(("[a-d]", 0u8..3), 0..6),
        ) {
            let rules = rules(&required.iter().map(|name| (name.as_str(), None)).collect::<Vec<_>>());
            let state = |n| match n { 0 => StatusState::Success, 1 => StatusState::Pending, _ => StatusState::Failure };
            let statuses = said.iter().zip(1..).map(|((name, n), id)| CommitStatus { id, ..status(name, state(*n)) });
            let reading = GateReading { statuses: statuses.collect(), check_runs: vec![] };
            let latest: BTreeMap<_, _> = said.iter().map(|(name, n)| (name, *n)).collect();
            let all_green = latest.values().all(|n| *n == 0);
            let all_there = required.iter().all(|name| said.iter().any(|(said, _)| said == name));
            prop_assert_eq!(matches!(evaluate_gate(&rules, &reading), GateVerdict::Pass(_)), all_green && all_there);
        }

        #[test]
        fn what_others_say_of_a_context_pinned_to_an_account_never_lets_it_through(
            said in proptest::collection::vec(("[a-c]", 0u8..3), 0..8),
        ) {
            let state = |n| match n { 0 => StatusState::Success, 1 => StatusState::Pending, _ => StatusState::Failure };
            let statuses = said.iter().zip(1..).map(|((by, n), id)| said_by(id, Some(by), state(*n)));
            let reading = GateReading { statuses: statuses.collect(), check_runs: vec![] };
            let last_of = |by: Option<&str>| said.iter().rfind(|(name, _)| by.is_none_or(|by| by == name)).map(|(_, n)| *n);
            let passes = matches!(evaluate_gate(&of_creator("A"), &reading), GateVerdict::Pass(_));
            prop_assert_eq!(passes, last_of(Some("a")) == Some(0) && last_of(None) == Some(0));
        }
    }
}
