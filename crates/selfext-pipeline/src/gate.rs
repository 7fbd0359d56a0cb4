//! Waiting for the gate, and the last look before the merge.

use selfext_domain::ports::{Published, PullRequestState, Survey};
use selfext_domain::{CommitSha, ContextFinding, ContextVerdict, GateVerdict, Reason, Refusal, Stage, evaluate_gate};

use crate::journal::{Journal, Stop};
use crate::verify::Verified;
use crate::{Observer, Pipeline, Step, refusals};

/// How the gate let the run through.
pub(crate) enum Gate {
    /// Everything is green, on the base that was verified.
    Passed,
    /// The base has another tip.
    BaseMoved(CommitSha),
}

impl Pipeline {
    pub(crate) async fn pass_gate(
        &self,
        journal: &mut Journal<'_>,
        verified: &Verified,
        published: &Published,
        observer: &dyn Observer,
    ) -> Result<Gate, Stop> {
        let rules = &verified.rules.gate;
        let until = self.ports.clock.now() + rules.wait;
        let mut told = Vec::new();
        loop {
            let survey = match self.ports.forge.survey(published.pull_request, &published.head, &self.config.base).await
            {
                Ok(survey) => survey,
                Err(error) => {
                    let refusal =
                        refusals::of_forge(Stage::PromotionGate, "the pull request's checks could not be read", &error);
                    return Err(journal.refuse(refusal, Some(published.pull_request)).await?);
                }
            };
            if let Some(refusal) = judge_pull_request(&survey, published) {
                return Err(journal.refuse(refusal, Some(published.pull_request)).await?);
            }
            if survey.base_head != verified.candidate.base {
                return Ok(Gate::BaseMoved(survey.base_head));
            }
            if survey.pull_request.mergeable == Some(false) {
                let detail = format!("pull request {} conflicts with its base.", published.pull_request);
                let refusal = Refusal::new(Stage::PromotionGate, Reason::MergeConflict, detail);
                return Err(journal.refuse(refusal, Some(published.pull_request)).await?);
            }
            let refusal = match evaluate_gate(rules, &survey.gate) {
                GateVerdict::Pass(_) => {
                    observer.on(&Step::GatePassed);
                    return Ok(Gate::Passed);
                }
                GateVerdict::Wait(findings) if self.ports.clock.now() < until => {
                    if told != findings {
                        observer.on(&Step::WaitingForChecks { findings: findings.clone() });
                        told = findings;
                    }
                    self.ports.clock.sleep(rules.poll).await;
                    continue;
                }
                GateVerdict::Wait(findings) => gate_refusal(Reason::ChecksPending, findings),
                GateVerdict::Refuse(findings) => gate_refusal(Reason::StatusGate, findings),
            };
            return Err(journal.refuse(refusal, Some(published.pull_request)).await?);
        }
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
            Reason::MergeRefused,
            format!("pull request {} is a draft. Mark it as ready, then promote again.", request.number),
        ),
        PullRequestState::Open => None,
    }
}
