//! The evidence on a commit: a check run where the identity is an App that may make one, and a commit status otherwise.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use http::StatusCode;
use selfext_domain::ports::{Annotation, Evidence, ForgeError};
use selfext_domain::{CommitSha, EVIDENCE_CONTEXT};

use crate::answer::Answer;
use crate::client::{CREATED, Client};
use crate::wire::{CheckRunBody, CheckRunOutput, CheckRunPage, NewCheckRun, UpdatedCheckRun};

/// How many commits are remembered.
const REMEMBERED: usize = 256;

/// The longest summary that GitHub takes, in characters.
const MAX_SUMMARY: usize = 65_535;

/// What this client knows of the evidence on the commits of late. Whoever shows evidence on a commit holds what is known of it, so
/// that two at once do not make two check runs.
#[derive(Default)]
pub(crate) struct EvidenceShown(Mutex<VecDeque<(CommitSha, Arc<tokio::sync::Mutex<Known>>)>>);

#[derive(Clone, Copy)]
enum Known {
    /// There may be one.
    Uncertain,
    /// This client made the commit, and nobody has shown anything on it.
    Nothing,
    /// There is one.
    Run {
        id: u64,
        /// GitHub adds annotations to those that are there.
        annotated: bool,
    },
}

/// What came of showing the evidence as a check run.
enum AsCheckRun {
    Shown,
    /// GitHub does not let this App.
    Forbidden,
}

impl EvidenceShown {
    /// Says that a commit was made a moment ago, so that one need not look. What is known already stays: a commit with the same
    /// content in the same second is the same one.
    pub(super) fn nothing_on(&self, head: &CommitSha) {
        self.of(head, Known::Nothing);
    }

    fn of(&self, head: &CommitSha, otherwise: Known) -> Arc<tokio::sync::Mutex<Known>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = all.iter().find(|(commit, _)| commit == head) {
            return Arc::clone(known);
        }
        let known = Arc::new(tokio::sync::Mutex::new(otherwise));
        all.push_back((head.clone(), Arc::clone(&known)));
        let surplus = all.len().saturating_sub(REMEMBERED);
        all.drain(..surplus);
        known
    }
}

impl Client {
    /// One request, and one more where it is not known whether the commit has a check run of selfext's already.
    pub(crate) async fn show_evidence(&self, head: &CommitSha, evidence: &Evidence) -> Result<(), ForgeError> {
        if let Some(app) = self.app_that_checks().await? {
            let known = self.inner.evidence.of(head, Known::Uncertain);
            match self.show_check_run(app, head, evidence, &mut *known.lock().await).await? {
                AsCheckRun::Shown => return Ok(()),
                AsCheckRun::Forbidden => self.may_not_check(),
            }
        }
        self.post_evidence_status(head, evidence).await
    }

    async fn show_check_run(
        &self,
        app: u64,
        head: &CommitSha,
        evidence: &Evidence,
        known: &mut Known,
    ) -> Result<AsCheckRun, ForgeError> {
        let mut waits = self.waits();
        let mut annotations = &evidence.annotations[..];
        loop {
            if matches!(known, Known::Uncertain) {
                *known = match self.find_check_run(app, head).await? {
                    Some(known) => known,
                    None => return Ok(AsCheckRun::Forbidden),
                };
            }
            // Until the answer says otherwise: what is lost on the way may have been done.
            let before = std::mem::replace(known, Known::Uncertain);
            let answer = self.write_check_run(before, head, evidence, annotations).await?;
            match answer.status {
                StatusCode::OK | CREATED => {
                    *known = answer.decode::<CheckRunBody>("the check run")?.into();
                    return Ok(AsCheckRun::Shown);
                }
                StatusCode::FORBIDDEN if answer.asked_wait().is_none() => {
                    *known = before;
                    return Ok(AsCheckRun::Forbidden);
                }
                // It was there a moment ago.
                StatusCode::NOT_FOUND if matches!(before, Known::Run { .. }) => *known = Known::Nothing,
                _ if answer.is_invalid_for("no commit found") => *known = before,
                // The verdict matters more than what is said of single lines.
                StatusCode::UNPROCESSABLE_ENTITY if !annotations.is_empty() => {
                    (*known, annotations) = (before, &[]);
                    continue;
                }
                _ => return Err(answer.error(&format!("commit {head}"))),
            }
            if !waits.again("check run").await {
                return Err(answer.error(&format!("commit {head}")));
            }
        }
    }

    async fn write_check_run(
        &self,
        known: Known,
        head: &CommitSha,
        evidence: &Evidence,
        annotations: &[Annotation],
    ) -> Result<Answer, ForgeError> {
        let conclusion = if evidence.passed { "success" } else { "failure" };
        let text = if evidence.text.is_empty() { &evidence.summary } else { &evidence.text };
        let summary: String = text.chars().take(MAX_SUMMARY).collect();
        let annotated = matches!(known, Known::Run { annotated: true, .. });
        let annotations = if annotated { &[] } else { annotations };
        let output = CheckRunOutput::new(&evidence.summary, &summary, annotations);
        let update = UpdatedCheckRun { status: "completed", conclusion, output };
        Ok(match known {
            Known::Run { id, .. } => self.patch(self.at("check-runs").part(&id.to_string()), &update).await?,
            Known::Uncertain | Known::Nothing => {
                let run = NewCheckRun { name: EVIDENCE_CONTEXT, head_sha: head, update };
                self.post(self.at("check-runs"), &run).await?
            }
        })
    }

    /// Looks for a check run that this App made on a commit: in another process, or by a request whose answer was lost. Nothing if
    /// it may not look.
    async fn find_check_run(&self, app: u64, head: &CommitSha) -> Result<Option<Known>, ForgeError> {
        let route = self.at("commits").commit(head).then("check-runs");
        let route = route.query("check_name", EVIDENCE_CONTEXT).query("app_id", &app.to_string());
        let answer = self.get(route.query("filter", "latest")).await?;
        if answer.is(StatusCode::FORBIDDEN) && answer.asked_wait().is_none() {
            return Ok(None);
        }
        if answer.is_invalid_for("no commit found") {
            return Ok(Some(Known::Nothing));
        }
        let page: CheckRunPage = answer.expect(StatusCode::OK, "check runs")?;
        let own = |run: &CheckRunBody| run.is_of(app, EVIDENCE_CONTEXT) && run.head_sha == *head;
        let newest = page.check_runs.into_iter().filter(own).max_by_key(|run| run.id);
        Ok(Some(newest.map_or(Known::Nothing, Into::into)))
    }
}

impl From<CheckRunBody> for Known {
    fn from(run: CheckRunBody) -> Self {
        Self::Run { id: run.id, annotated: run.is_annotated() }
    }
}
