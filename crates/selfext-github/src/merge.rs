//! Asking for a merge once, and telling from the answer what became of it.

mod asynchronous;
mod queue;

use http::StatusCode;
use selfext_domain::ports::{ForgeError, MergeAnswer, MergeRefusal, PullRequest, PullRequestState};
use selfext_domain::{MergeMethod, MergePermit, MergeWay, PermitTerms, Reason};

pub(crate) use self::asynchronous::AsyncSupport;

use crate::answer::Answer;
use crate::client::Client;
use crate::message::clean;
use crate::transport::SendError;
use crate::wire::{MergeRequest, MergeResult};

/// What an answer means, before the permit is given back or used up.
enum Verdict {
    Merged(selfext_domain::CommitSha),
    Enqueued,
    Refused(Reason, String),
    MayPass(String),
    InDoubt(String),
}

impl Client {
    pub(crate) async fn merge(&self, permit: MergePermit) -> MergeAnswer {
        match self.ask(permit.terms()).await {
            Verdict::Merged(commit) => MergeAnswer::Merged { commit },
            Verdict::Enqueued => MergeAnswer::Enqueued,
            Verdict::Refused(reason, message) => MergeAnswer::Refused(MergeRefusal { reason, message }),
            Verdict::MayPass(message) => MergeAnswer::MayPass { permit, message },
            Verdict::InDoubt(message) => MergeAnswer::InDoubt { message },
        }
    }

    async fn ask(&self, terms: &PermitTerms) -> Verdict {
        // A permit keeps the name under which the repository was known when it was granted.
        if !self.is_called(&terms.repository) {
            let message = format!("the permit is for {}, this forge is for {}", terms.repository, self.repository());
            return Verdict::Refused(Reason::ForgeRefused, message);
        }
        match terms.way {
            MergeWay::Direct => self.ask_directly(terms).await,
            MergeWay::Asynchronous => self.ask_async(terms).await,
            MergeWay::Queue => self.ask_queue(terms).await,
        }
    }

    async fn ask_directly(&self, terms: &PermitTerms) -> Verdict {
        let route = self.at("pulls").pull_request(terms.pull_request).then("merge");
        match self.put_merge(route, &request(terms)).await {
            Ok(answer) => self.judge(terms, &answer).await,
            Err(error) => unsent(error),
        }
    }

    async fn judge(&self, terms: &PermitTerms, answer: &Answer) -> Verdict {
        let said = format!("{}: {}", answer.status.as_u16(), answer.message());
        if answer.asked_wait().is_some() {
            return Verdict::MayPass(said);
        }
        // What does not come from GitHub itself says nothing about what GitHub did.
        let genuine = answer.refusal().is_some();
        match answer.status {
            StatusCode::OK => match answer.decode::<MergeResult>("the merge") {
                Ok(MergeResult { sha, merged: true }) => Verdict::Merged(sha),
                Ok(_) => Verdict::InDoubt("200, but it says that nothing was merged".to_owned()),
                Err(error) => Verdict::InDoubt(format!("200, but {error}")),
            },
            StatusCode::METHOD_NOT_ALLOWED if genuine => self.judge_not_allowed(terms, said).await,
            StatusCode::CONFLICT if genuine => self.judge_conflict(terms, said).await,
            StatusCode::UNPROCESSABLE_ENTITY if genuine => Verdict::Refused(Reason::MergeRefused, said),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND if genuine => {
                Verdict::Refused(Reason::ForgeRefused, said)
            }
            _ => Verdict::InDoubt(said),
        }
    }

    /// 405 stands for many causes. Two of them pass, and their words alone tell; for the rest the pull request is read.
    async fn judge_not_allowed(&self, terms: &PermitTerms, said: String) -> Verdict {
        let words = said.to_ascii_lowercase();
        // The green that was set a moment ago is not seen everywhere yet.
        let own_status = terms.permit_status && words.contains("required status check");
        if own_status || words.contains("base branch was modified") || words.contains("merge already in progress") {
            return Verdict::MayPass(said);
        }
        let (pull, merged) = tokio::join!(self.read_pull_request(terms.pull_request), self.is_merged(terms));
        let pull = match (pull, merged) {
            (Ok(pull), Ok(merged)) if !merged || pull.state != PullRequestState::Open => pull,
            (Ok(_), Ok(_)) => {
                return Verdict::InDoubt(format!("{said}, yet it is merged and its record reads open"));
            }
            (Err(error), _) | (_, Err(error)) => {
                return Verdict::InDoubt(format!("{said}, and reading back: {error}"));
            }
        };
        if let Some(verdict) = ended(terms, &pull, &said) {
            return verdict;
        }
        let conflict = pull.mergeable == Some(false) || (pull.mergeable.is_none() && words.contains("not mergeable"));
        let reason = if words.contains("merge queue") {
            Reason::MergeQueueRequired
        } else if pull.draft {
            Reason::PullRequestDraft
        } else if conflict {
            Reason::MergeConflict
        } else if pull.blocked {
            Reason::BlockedByProtection
        } else {
            Reason::MergeRefused
        };
        Verdict::Refused(reason, said)
    }

    /// 409: nothing was merged. Either the head is another one, or GitHub's record of it lags behind the branch.
    async fn judge_conflict(&self, terms: &PermitTerms, said: String) -> Verdict {
        let (pull, tip) = tokio::join!(self.read_pull_request(terms.pull_request), self.find_branch(&terms.branch));
        if let Some(verdict) = pull.as_ref().ok().and_then(|pull| ended(terms, pull, &said)) {
            return verdict;
        }
        let moved = match (tip, pull) {
            (Ok(Some(tip)), _) => tip != terms.head,
            (Ok(None), Ok(pull)) => pull.head != terms.head,
            _ => false,
        };
        if moved { Verdict::Refused(Reason::HeadMoved, said) } else { Verdict::MayPass(said) }
    }

    /// GitHub's other word on whether a pull request was merged, from another place than its record.
    async fn is_merged(&self, terms: &PermitTerms) -> Result<bool, ForgeError> {
        let answer = self.get(self.at("pulls").pull_request(terms.pull_request).then("merge")).await?;
        match answer.status {
            StatusCode::NO_CONTENT => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            _ => Err(answer.error("merge")),
        }
    }
}

/// What it means that a request which merges has no answer.
fn unsent(error: SendError) -> Verdict {
    match error {
        error @ (SendError::NotSent(_) | SendError::Limited(_)) => Verdict::MayPass(error.to_string()),
        // Certainly not done: either the cause passes, or it must be mended.
        SendError::Before(error) => match error {
            ForgeError::Unavailable(_) | ForgeError::RateLimited { .. } | ForgeError::Unreadable(_) => {
                Verdict::MayPass(error.to_string())
            }
            error => Verdict::Refused(Reason::ForgeRefused, error.to_string()),
        },
        error => Verdict::InDoubt(error.to_string()),
    }
}

fn request(terms: &PermitTerms) -> MergeRequest<'_> {
    let (commit_title, commit_message) = title_and_message(terms);
    MergeRequest { sha: &terms.head, merge_method: terms.method.as_str(), commit_title, commit_message }
}

/// What a pull request that is not open any more says about the merge.
fn ended(terms: &PermitTerms, pull: &PullRequest, said: &str) -> Option<Verdict> {
    Some(match &pull.state {
        PullRequestState::Open => return None,
        PullRequestState::Closed => Verdict::Refused(Reason::PullRequestClosed, said.to_owned()),
        PullRequestState::Merged { .. } if pull.head != terms.head => {
            Verdict::Refused(Reason::MergedElsewhere, clean(&format!("{said}; it was merged at {}", pull.head)))
        }
        PullRequestState::Merged { commit: Some(commit) } => Verdict::Merged(commit.clone()),
        PullRequestState::Merged { commit: None } => {
            Verdict::InDoubt(format!("{said}; it is merged as an unknown commit"))
        }
    })
}

/// The words of the commit on the base branch. A rebase keeps the commits' own.
fn title_and_message(terms: &PermitTerms) -> (Option<&str>, Option<&str>) {
    if terms.method == MergeMethod::Rebase || terms.message.trim().is_empty() {
        return (None, None);
    }
    let (title, rest) = terms.message.split_once('\n').unwrap_or((&terms.message, ""));
    (Some(title.trim_end()), Some(rest.trim_matches('\n')))
}
