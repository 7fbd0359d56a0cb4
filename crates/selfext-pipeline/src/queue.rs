//! A change that stands in the forge's merge queue: followed until it landed, was thrown out, or has to leave.

use std::time::Duration;

use selfext_domain::ports::{ForgeError, QueueEntry, SurveyScope};
use selfext_domain::{
    CommitSha, EVIDENCE_CONTEXT, PermitTerms, Reason, Refusal, Stage, error_chain, evidence_of_success, queue_vouches,
};

use crate::gate::Pace;
use crate::journal::{Journal, Stop};
use crate::merge::Reopened;
use crate::settle::{OVERDUE, permit_of, unseen};
use crate::{Ending, Observer, Pipeline, Step};

/// How many pauses between two tries of a merge the first pause between two looks at the queue is: 10 s as a rule. It grows while
/// nothing changes.
const POLL: u32 = 5;

/// No pause is longer.
const A_WHILE: Duration = Duration::from_hours(1);

/// How often one after the other a pull request has to be seen neither in the queue nor merged, or the forge not to answer, before
/// that is believed: what a forge says of a moment ago may lag.
const LOOKS: u32 = 3;

/// What a look at the queue comes to.
enum Place {
    /// The pull request stands in it like this; without a commit that was not dealt with yet.
    InQueue(QueueEntry),
    /// It landed.
    Landed(CommitSha),
    /// It is seen neither there nor landed.
    Nowhere,
    /// It must not land as it stands there.
    Unwanted(Refusal),
}

impl Pipeline {
    /// Follows a change in the queue. `doubtful` says that a request of an earlier life, or of another process, may put it there
    /// once more.
    pub(crate) async fn follow_queue(
        &self,
        journal: &mut Journal<'_>,
        doubtful: bool,
        observer: &dyn Observer,
    ) -> Result<Stop, Stop> {
        let terms = permit_of(journal)?;
        let mut seen = None;
        let (mut nowhere, mut silent) = (0, 0);
        let mut pace = Pace::new(self.config.retry_pause * POLL);
        loop {
            // Before the look, so that a wake-up that comes during it is not missed.
            let woken = self.wakes.as_ref().map_or(0, |wakes| wakes.count());
            match self.look_at_queue(journal, &terms, seen.as_ref(), observer).await {
                Ok(Place::InQueue(entry)) => {
                    (nowhere, silent) = (0, 0);
                    pace = pace.after(seen.as_ref() != Some(&entry));
                    seen = Some(entry);
                }
                Ok(Place::Landed(commit)) => return self.land(journal, commit, observer).await,
                Ok(Place::Unwanted(refusal)) => return self.leave_queue(journal, refusal, doubtful, observer).await,
                Ok(Place::Nowhere) => nowhere += 1,
                Err(error) if silent == LOOKS => return unseen(journal, &error),
                Err(_) => silent += 1,
            }
            if nowhere == LOOKS {
                return self.leave_queue(journal, thrown_out(&terms), doubtful, observer).await;
            }
            match self.reopen(journal).await? {
                Reopened::Granted(_) => {}
                Reopened::Overdue => return self.fence(journal, OVERDUE, observer).await,
                Reopened::Refused(refusal) => return self.leave_queue(journal, refusal, doubtful, observer).await,
            }
            if nowhere + silent > 0 {
                self.ports.clock.sleep(self.config.retry_pause).await;
            } else {
                self.wait_for_news(pace, woken, self.ports.clock.now() + A_WHILE).await;
            }
        }
    }

    /// Looks, and deals with what is new since `seen`.
    async fn look_at_queue(
        &self,
        journal: &Journal<'_>,
        terms: &PermitTerms,
        seen: Option<&QueueEntry>,
        observer: &dyn Observer,
    ) -> Result<Place, ForgeError> {
        let Some(mut entry) = self.ports.forge.queue_entry(terms.pull_request).await? else {
            let landed = self.look(journal).await?.landed;
            return Ok(landed.map_or(Place::Nowhere, Place::Landed));
        };
        if seen.is_none_or(|seen| seen.position != entry.position) {
            observer.on(&Step::InMergeQueue { position: entry.position });
        }
        if let Some(commit) =
            entry.commit.as_ref().filter(|commit| seen.and_then(|seen| seen.commit.as_ref()) != Some(commit))
        {
            match self.judge_queue_commit(journal, terms, commit).await {
                Ok(Some(refusal)) => return Ok(Place::Unwanted(refusal)),
                Ok(None) => {}
                // It was replaced meanwhile, or is not known everywhere yet; the next look shows which.
                Err(ForgeError::NotFound(_)) => entry.commit = None,
                Err(error) => return Err(error),
            }
        }
        Ok(Place::InQueue(entry))
    }

    /// Says on a commit that the queue made what selfext knows of it: that a permit is open for it, and that it was verified, if it
    /// holds the very tree that was. If it holds another one, and the base takes only what selfext verified, the change has to be
    /// verified anew on the base that it then has.
    async fn judge_queue_commit(
        &self,
        journal: &Journal<'_>,
        terms: &PermitTerms,
        commit: &CommitSha,
    ) -> Result<Option<Refusal>, ForgeError> {
        let forge = &self.ports.forge;
        if forge.commit(commit).await?.tree != terms.tree {
            let survey = forge.survey(terms.pull_request, &terms.head, &terms.base, SurveyScope::default()).await?;
            if survey.rules.required.iter().any(|required| required.context == EVIDENCE_CONTEXT) {
                let detail = format!(
                    "other changes came before it in the merge queue, and {} takes only what was verified. Promote the same change \
                     again: it is verified on what is there then.",
                    terms.base
                );
                return Ok(Some(Refusal::new(Stage::PromotionMerge, Reason::BaseMoved, detail)));
            }
        } else if let Some(tested) = journal.run().tested() {
            forge.show_evidence(commit, &evidence_of_success(&tested.stages)).await?;
        }
        if terms.permit_status {
            forge.show_permit(commit, true).await?;
        }
        Ok(None)
    }

    /// Takes a change out of the queue, where it is in it, and ends its merge with the refusal, unless it has landed. Where a request
    /// may still be on its way, it is fenced off.
    async fn leave_queue(
        &self,
        journal: &mut Journal<'_>,
        refusal: Refusal,
        doubtful: bool,
        observer: &dyn Observer,
    ) -> Result<Stop, Stop> {
        if doubtful {
            return self.fence(journal, &refusal.detail, observer).await;
        }
        let number = permit_of(journal)?.pull_request;
        if let Err(error) = self.ports.forge.leave_queue(number).await {
            let detail = format!("pull request {number} could not be taken out of the queue: {}", error_chain(&error));
            return Ok(journal.end(Ending::InDoubt { detail }));
        }
        // It may have landed at the last moment, and the forge not know everywhere yet.
        for look in 1..=LOOKS {
            match self.look(journal).await {
                Ok(seen) => {
                    if let Some(commit) = seen.landed {
                        return self.land(journal, commit, observer).await;
                    }
                }
                Err(error) => return unseen(journal, &error),
            }
            if look < LOOKS {
                self.ports.clock.sleep(self.config.retry_pause).await;
            }
        }
        self.close_permit(journal, refusal).await
    }

    /// Whether a commit that a queue landed, with another tree than the tested one, carries everything that is required of it.
    pub(crate) async fn queue_vouches(&self, journal: &Journal<'_>, commit: &CommitSha) -> Result<bool, Stop> {
        let terms = permit_of(journal)?;
        let unknown = |what: &str| {
            let detail = format!(
                "it landed as {commit}, but whether its checks vouch for it could not be read: {what}. `selfext reconcile` asks again."
            );
            Err(journal.end(Ending::InDoubt { detail }))
        };
        let rules = match self.read_rules(&terms.base_commit).await {
            Ok(rules) => rules,
            Err(refusal) => return unknown(&refusal.detail),
        };
        let scope = SurveyScope { reviews: false, creators: rules.gate.name_creators() };
        match self.ports.forge.survey(terms.pull_request, commit, &terms.base, scope).await {
            Ok(survey) => Ok(queue_vouches(&rules.gate, &survey.rules, &survey.gate)),
            Err(error) => unknown(&error_chain(&error)),
        }
    }
}

fn thrown_out(terms: &PermitTerms) -> Refusal {
    let detail = format!(
        "the merge queue threw pull request {} out, or somebody took it out: as a rule because a check of the queue's own commit \
         failed, or it conflicts with what was before it. Promote the same change again once that is mended.",
        terms.pull_request
    );
    Refusal::new(Stage::PromotionMerge, Reason::MergeQueueLeft, detail)
}
