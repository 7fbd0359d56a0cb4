//! Waiting for the gate, and the last look before the merge.

mod pace;

use std::time::Duration;

use chrono::{DateTime, Utc};
use selfext_domain::ports::{Evidence, ForgeError, Published, PullRequestState, Survey, SurveyScope};
use selfext_domain::{
    CommitSha, ContextFinding, ContextVerdict, GateRules, GateVerdict, MergeWay, Reason, Refusal, ReviewVerdict, Rules,
    Stage, TeamName, approvers, evaluate_gate, evaluate_reviews, merge_way, missing_teams,
};

pub(crate) use self::pace::Pace;
use crate::journal::{Journal, Stop};
use crate::publish::unpublished;
use crate::telling::{self, Telling};
use crate::verify::Verified;
use crate::{Observer, Pipeline, Step, refusals};

/// For how long the forge is asked whether a pull request can be merged, where nothing else is left to wait for. It works that
/// out in the background, in seconds as a rule.
const MERGEABILITY_WAIT: Duration = Duration::from_mins(1);

/// How long the pause between two such questions is at most.
const MERGEABILITY_POLL: Duration = Duration::from_secs(2);

/// How the gate let the run through.
pub(crate) enum Gate {
    /// Everything is green, on the base that was verified, and this is how the change may land.
    Passed(MergeWay),
    /// The base has another tip.
    BaseMoved(CommitSha),
}

/// What one look at the forge comes to.
#[derive(Debug)]
enum Look {
    Pass(MergeWay),
    BaseMoved(CommitSha),
    Wait(Waiting),
    Refuse(Refusal),
}

/// What a run waits for.
#[derive(Debug, PartialEq, Eq)]
enum Waiting {
    Checks(Vec<ContextFinding>),
    Reviews { have: u32, need: u32 },
    Teams(Vec<TeamName>),
    Mergeability,
}

impl Waiting {
    /// What people see of it; nothing of what takes seconds.
    fn told(&self) -> Option<String> {
        match self {
            Self::Checks(findings) => Some(telling::checks(findings, word)),
            Self::Reviews { have, need } => Some(format!("approvals ({have} of {need})")),
            Self::Teams(teams) => Some(telling::teams(teams)),
            Self::Mergeability => None,
        }
    }
}

impl Pipeline {
    /// `evidence` is what is to be said on the head, at the same time as it is first surveyed, which saves a round trip. Nothing
    /// is decided before it is said.
    pub(crate) async fn pass_gate(
        &self,
        journal: &mut Journal<'_>,
        verified: &Verified,
        published: &Published,
        mut evidence: Option<Evidence>,
        telling: &Telling,
        observer: &dyn Observer,
    ) -> Result<Gate, Stop> {
        let rules = &verified.rules.gate;
        let (number, base) = (published.pull_request, &self.config.base);
        let until = self.ports.clock.now() + rules.wait;
        let scope = SurveyScope { reviews: rules.approvals > 0, creators: rules.name_creators() };
        let mut mergeability_until = None;
        let mut told = None;
        let mut pace = Pace::new(rules.poll);
        loop {
            // Before the look, so that a wake-up that comes during it is not missed.
            let woken = self.wakes.as_ref().map_or(0, |wakes| wakes.count());
            let (survey, said) = futures::join!(
                self.ports.forge.survey(number, &published.head, base, scope),
                self.say(&published.head, evidence.take()),
            );
            if let Err(error) = said {
                return Err(journal.refuse(unpublished(&error), Some(number)).await?);
            }
            let survey = match survey {
                Ok(survey) => survey,
                Err(error) => {
                    let refusal =
                        refusals::of_forge(Stage::PromotionGate, "the pull request's checks could not be read", &error);
                    return Err(journal.refuse(refusal, Some(number)).await?);
                }
            };
            let looked = look(&verified.rules, &verified.candidate.base, published, &survey);
            let waiting = match self.look_at_teams(rules, published, &survey, looked).await {
                Look::Pass(way) => {
                    observer.on(&Step::GatePassed);
                    return Ok(Gate::Passed(way));
                }
                Look::BaseMoved(tip) => return Ok(Gate::BaseMoved(tip)),
                Look::Refuse(refusal) => return Err(journal.refuse(refusal, Some(number)).await?),
                Look::Wait(waiting) => waiting,
            };
            let now = self.ports.clock.now();
            let limit = if waiting == Waiting::Mergeability {
                *mergeability_until.get_or_insert(now + MERGEABILITY_WAIT)
            } else {
                mergeability_until = None;
                until
            };
            if now >= limit {
                return Err(journal.refuse(out_of_patience(published, waiting), Some(number)).await?);
            }
            if told.as_ref() != Some(&waiting) {
                match &waiting {
                    Waiting::Checks(findings) => observer.on(&Step::WaitingForChecks { findings: findings.clone() }),
                    Waiting::Reviews { have, need } => {
                        observer.on(&Step::WaitingForReviews { have: *have, need: *need });
                    }
                    Waiting::Teams(teams) => observer.on(&Step::WaitingForTeams { teams: teams.clone() }),
                    Waiting::Mergeability => {}
                }
                pace = pace.after(true);
            }
            if let Some(what) = waiting.told() {
                telling.during(what, until, self.wait_for_news(pace, woken, until)).await;
            } else {
                telling.over();
                self.ports.clock.sleep(rules.poll.min(MERGEABILITY_POLL)).await;
            }
            pace = pace.after(false);
            told = Some(waiting);
        }
    }

    /// Where nothing else is missing: whether somebody of each team that the rules name is among those who approved.
    async fn look_at_teams(&self, rules: &GateRules, published: &Published, survey: &Survey, looked: Look) -> Look {
        let teams = &rules.approvals_by_team;
        if teams.is_empty() || !matches!(looked, Look::Pass(_) | Look::Wait(Waiting::Mergeability)) {
            return looked;
        }
        let approvers = approvers(&published.head, &survey.reviews);
        let logins: Vec<String> = approvers.iter().map(|login| (*login).to_owned()).collect();
        let logins = &logins[..];
        let asked = teams.iter().cloned().map(|team| async move {
            let members = self.ports.forge.members_among(&team, logins).await?;
            Ok::<_, ForgeError>((team, members))
        });
        match futures::future::try_join_all(asked).await {
            Err(error) => {
                let what = "who is in the teams of gate.approvals_by_team could not be read";
                Look::Refuse(refusals::of_forge(Stage::PromotionGate, what, &error))
            }
            Ok(members) => {
                let missing = missing_teams(teams, &approvers, &members.into_iter().collect());
                if missing.is_empty() { looked } else { Look::Wait(Waiting::Teams(missing)) }
            }
        }
    }

    async fn say(&self, head: &CommitSha, evidence: Option<Evidence>) -> Result<(), ForgeError> {
        match evidence {
            Some(evidence) => self.ports.forge.show_evidence(head, &evidence).await,
            None => Ok(()),
        }
    }

    /// Waits until the forge is to be asked again: at the latest when the waiting ends.
    pub(crate) async fn wait_for_news(&self, pace: Pace, woken: u64, until: DateTime<Utc>) {
        let clock = &self.ports.clock;
        let left = (until - clock.now()).to_std().unwrap_or_default();
        let pause = pace.pause().min(left);
        let Some(wakes) = &self.wakes else {
            return clock.sleep(pause).await;
        };
        let floor = pace.floor().min(pause);
        clock.sleep(floor).await;
        let rest = clock.sleep(pause.saturating_sub(floor));
        futures::future::select(wakes.beyond(woken), rest).await;
    }
}

/// Judges what the forge shows. What cannot mend itself comes before what can be waited for.
fn look(rules: &Rules, base: &CommitSha, published: &Published, survey: &Survey) -> Look {
    let number = published.pull_request;
    let refuse = |reason, detail: String| Look::Refuse(Refusal::new(Stage::PromotionGate, reason, detail));
    if let Some(refusal) = judge_pull_request(survey, published) {
        return Look::Refuse(refusal);
    }
    if survey.base_head != *base {
        return Look::BaseMoved(survey.base_head.clone());
    }
    let way = match merge_way(rules, &survey.rules) {
        Ok(way) => way,
        Err(refusal) => return Look::Refuse(refusal),
    };
    let method = rules.merge_method;
    if survey.rules.methods.as_ref().is_some_and(|methods| !methods.contains(&method)) {
        return refuse(
            Reason::BlockedByProtection,
            format!(
                "the forge's rules for {} do not allow the merge method `{}`. Set merge.method to one that they allow.",
                survey.pull_request.base,
                method.as_str()
            ),
        );
    }
    if survey.pull_request.mergeable == Some(false) {
        return refuse(Reason::MergeConflict, format!("pull request {number} conflicts with its base."));
    }
    let rules = rules.gate.united(&survey.rules);
    let checks = evaluate_gate(&rules, &survey.gate);
    if let GateVerdict::Refuse(findings) = checks {
        return Look::Refuse(gate_refusal(Reason::StatusGate, findings));
    }
    let reviews = evaluate_reviews(rules.approvals, &published.head, &survey.reviews);
    match (checks, reviews) {
        (_, ReviewVerdict::ChangesRequested { by }) => refuse(
            Reason::ChangesRequested,
            format!(
                "{by} wants another change of pull request {number}. Promote the same change again once they have approved it, or \
                 abandon the run."
            ),
        ),
        (GateVerdict::Wait(findings) | GateVerdict::Refuse(findings), _) => Look::Wait(Waiting::Checks(findings)),
        (_, ReviewVerdict::Missing { have, need }) => Look::Wait(Waiting::Reviews { have, need }),
        (GateVerdict::Pass(_), ReviewVerdict::Enough) if survey.pull_request.mergeable.is_none() => {
            Look::Wait(Waiting::Mergeability)
        }
        (GateVerdict::Pass(_), ReviewVerdict::Enough) => Look::Pass(way),
    }
}

/// The refusal of a run that waited as long as it may.
fn out_of_patience(published: &Published, waiting: Waiting) -> Refusal {
    let number = published.pull_request;
    match waiting {
        Waiting::Checks(findings) => gate_refusal(Reason::ChecksPending, findings),
        Waiting::Reviews { have, need } => Refusal::new(
            Stage::PromotionGate,
            Reason::ReviewMissing,
            format!(
                "pull request {number} has {have} of {need} approvals of {} by people who may write to the repository. Promote the \
                 same change again once it is approved; its pull request stays open.",
                published.head
            ),
        ),
        Waiting::Teams(teams) => Refusal::new(
            Stage::PromotionGate,
            Reason::ReviewMissing,
            format!(
                "nobody of {} has approved {} on pull request {number}. Promote the same change again once it is approved; its pull \
                 request stays open.",
                teams.iter().map(TeamName::as_str).collect::<Vec<_>>().join(" and of "),
                published.head
            ),
        ),
        Waiting::Mergeability => Refusal::new(
            Stage::PromotionGate,
            Reason::MergeabilityUnknown,
            format!(
                "the forge did not work out within {} s whether pull request {number} conflicts with its base. Promote the same \
                 change again later.",
                MERGEABILITY_WAIT.as_secs()
            ),
        ),
    }
}

fn gate_refusal(reason: Reason, findings: Vec<ContextFinding>) -> Refusal {
    let bad: Vec<ContextFinding> =
        findings.into_iter().filter(|finding| finding.verdict != ContextVerdict::Success).collect();
    let named: Vec<String> =
        bad.iter().map(|finding| format!("{} is {}", finding.context, word(finding.verdict))).collect();
    let advice = "Promote the same change again once that is mended; its pull request stays open.";
    Refusal::new(Stage::PromotionGate, reason, format!("{}. {advice}", named.join(", "))).with_contexts(bad)
}

const fn word(verdict: ContextVerdict) -> &'static str {
    match verdict {
        ContextVerdict::Success => "green",
        ContextVerdict::Missing => "missing",
        ContextVerdict::Pending => "pending",
        ContextVerdict::Failing => "red",
        ContextVerdict::Skipped => "skipped",
        ContextVerdict::Neutral => "neutral",
        ContextVerdict::Unknown => "in a state that this version does not know",
        ContextVerdict::WrongApp => "set by another app than the rules name",
        ContextVerdict::WrongCreator => "set by another account than the rules name",
    }
}

/// What is wrong with the pull request itself, before any merge was asked for.
fn judge_pull_request(survey: &Survey, published: &Published) -> Option<Refusal> {
    let refuse = |reason, detail: String| Some(Refusal::new(Stage::PromotionGate, reason, detail));
    let request = &survey.pull_request;
    match &request.state {
        PullRequestState::Merged { .. } => {
            refuse(Reason::MergedElsewhere, format!("pull request {} was merged, but not by selfext.", request.number))
        }
        PullRequestState::Closed => {
            refuse(Reason::PullRequestClosed, format!("pull request {} was closed.", request.number))
        }
        PullRequestState::Open if request.head != published.head => refuse(
            Reason::HeadMoved,
            format!(
                "pull request {} is at {}, and selfext put it at {}.",
                request.number, request.head, published.head
            ),
        ),
        PullRequestState::Open if request.draft => refuse(
            Reason::PullRequestDraft,
            format!("pull request {} is a draft. Mark it as ready, then promote again.", request.number),
        ),
        PullRequestState::Open => None,
    }
}
