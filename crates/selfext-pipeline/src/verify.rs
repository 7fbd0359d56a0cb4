//! Trying a change set on its base, by the rules of that base.

use selfext_domain::ports::{Evidence, VerifierError};
use selfext_domain::{
    BaseLinks, Candidate, ChangeSet, CommitSha, EventId, RULES_PATH, Reason, Refusal, RepoPath, Rules, Run, Stage,
    StageReport, Tested, check_limits, evidence_of, guard_paths, pull_request_title,
};

use crate::journal::{Journal, Stop};
use crate::{Observer, Pipeline, Step, refusals};

/// A candidate that passed, with the rules it passed by.
pub(crate) struct Verified {
    pub(crate) rules: Rules,
    pub(crate) candidate: Candidate,
    pub(crate) tested: Tested,
    /// The event that says so, and that this process publishes it.
    pub(crate) claim: EventId,
}

impl Pipeline {
    /// Verifies the change on `base`, or takes over the verification that the ledger has of this very base and tree.
    pub(crate) async fn verify(
        &self,
        change: &ChangeSet,
        journal: &mut Journal<'_>,
        base: &CommitSha,
        attempt: u32,
        observer: &dyn Observer,
    ) -> Result<Verified, Stop> {
        let rules = match self.read_rules(base).await {
            Ok(rules) => rules,
            Err(refusal) => return Err(journal.refuse(refusal, None).await?),
        };
        let guarded = guard_again(journal.run())
            .and_then(|()| guard_size(change, &rules, journal.run()))
            .and_then(|()| guard_names(change, &rules, &BaseLinks::default(), journal));
        if let Err(refusal) = guarded {
            return Err(journal.refuse(refusal, None).await?);
        }
        self.guard_base(change, journal, base, observer).await?;
        let candidate = match self.ports.verifier.prepare(&self.config.base, base, change).await {
            Ok(candidate) if candidate.tree == candidate.base_tree => {
                let detail = format!("{base} already holds exactly this content.");
                let refusal = Refusal::new(Stage::Staging, Reason::NothingToChange, detail);
                return Err(journal.refuse(refusal, None).await?);
            }
            Ok(candidate) => candidate,
            Err(error) => return Err(self.cannot_verify(journal, error).await?),
        };
        // The links of the base are read with its tree. Nothing of the candidate has been run yet.
        if let Err(refusal) = guard_names(change, &rules, &candidate.links, journal) {
            return Err(journal.refuse(refusal, None).await?);
        }
        let known =
            journal.run().tested().filter(|tested| tested.base_commit == *base && tested.tree == candidate.tree);
        let tested = match known.cloned() {
            Some(tested) if journal.is_claimed() => tested,
            Some(tested) => {
                let tested = Tested { holder: self.config.holder.clone(), ..tested };
                journal.claim(tested.clone()).await?;
                tested
            }
            None => self.test(change, journal, &rules, &candidate, attempt, observer).await?,
        };
        let claim = journal.run().claim().ok_or(Stop::Overtaken)?;
        Ok(Verified { rules, candidate, tested, claim })
    }

    /// A change set says what files hold, so landing it on a later base would undo what others did to the same files since.
    async fn guard_base(
        &self,
        change: &ChangeSet,
        journal: &mut Journal<'_>,
        base: &CommitSha,
        observer: &dyn Observer,
    ) -> Result<(), Stop> {
        let Some(first) = journal.run().first_base().filter(|first| *first != base).cloned() else {
            return Ok(());
        };
        let paths: Vec<RepoPath> = change.files().keys().cloned().collect();
        let changed = match self.ports.verifier.changed_between(&self.config.base, &first, base, &paths).await {
            Ok(changed) => changed,
            Err(error) => return Err(self.cannot_verify(journal, error).await?),
        };
        if changed.is_empty() {
            return Ok(());
        }
        let detail = format!(
            "since {first}, on which the change was first verified, others changed the same files. Make it anew on {base}."
        );
        let refusal = Refusal::new(Stage::PromotionGuard, Reason::BaseConflict, detail).with_paths(changed);
        let stop = journal.refuse(refusal, None).await?;
        self.retire(journal, observer).await;
        Err(stop)
    }

    pub(crate) async fn read_rules(&self, base: &CommitSha) -> Result<Rules, Refusal> {
        let refuse = |reason, detail: String| Refusal::new(Stage::PromotionGuard, reason, detail);
        let path = RepoPath::parse(RULES_PATH).map_err(|error| refuse(Reason::RulesMissing, error.to_string()))?;
        let bytes =
            self.ports.verifier.read_file(&self.config.base, base, &path).await.map_err(refusals::of_verifier)?;
        let bytes = bytes.ok_or_else(|| {
            let detail =
                format!("{base} has no {RULES_PATH}. Write one with `selfext init`, and bring it to the base branch.");
            refuse(Reason::RulesMissing, detail)
        })?;
        let text = std::str::from_utf8(&bytes).map_err(|_| {
            refuse(Reason::RulesInvalid, format!("{RULES_PATH} on {base} is not UTF-8. Mend it on the base branch."))
        })?;
        Rules::parse(text)
            .map_err(|error| refuse(Reason::RulesInvalid, format!("{error}. Mend it on the base branch.")))
    }

    async fn test(
        &self,
        change: &ChangeSet,
        journal: &mut Journal<'_>,
        rules: &Rules,
        candidate: &Candidate,
        attempt: u32,
        observer: &dyn Observer,
    ) -> Result<Tested, Stop> {
        observer.on(&Step::Verifying { base: candidate.base.clone() });
        let stages = match self.ports.verifier.run_stages(journal.run().id(), candidate, &rules.stages).await {
            Ok(stages) => stages,
            Err(error) => return Err(self.cannot_verify(journal, error).await?),
        };
        observer.on(&Step::Verified { stages: stages.clone() });
        if let Some(refusal) = judge(rules, &stages) {
            let published = journal.run().tested().is_some();
            let evidence = evidence_of(false, &stages, change);
            let stop = journal.fail_verification(refusal, stages).await?;
            if published {
                self.show_failure(journal, &evidence, observer).await;
                self.retire(journal, observer).await;
            }
            return Err(stop);
        }
        let tested = Tested {
            base_commit: candidate.base.clone(),
            tree: candidate.tree.clone(),
            branch: journal.run().branch().clone(),
            title: pull_request_title(change),
            rules_sha256: rules.digest,
            stages,
            attempt,
            holder: self.config.holder.clone(),
        };
        journal.claim(tested.clone()).await?;
        Ok(tested)
    }

    /// Says on what an earlier attempt published that the change does not pass on the base as it is now. The run is over with or
    /// without that.
    async fn show_failure(&self, journal: &Journal<'_>, evidence: &Evidence, observer: &dyn Observer) {
        let forge = &self.ports.forge;
        let shown = async {
            match forge.find_published(journal.run().branch(), &self.config.base).await? {
                Some(standing) => forge.show_evidence(&standing.commit.sha, evidence).await,
                None => Ok(()),
            }
        };
        if let Err(error) = shown.await {
            let detail =
                format!("the failure could not be shown on the pull request: {}", selfext_domain::error_chain(&error));
            observer.on(&Step::CleanupFailed { detail });
        }
    }

    async fn cannot_verify(&self, journal: &mut Journal<'_>, error: VerifierError) -> Result<Stop, Stop> {
        journal.refuse(refusals::of_verifier(error), None).await
    }
}

/// What was rolled back lands again only if an operator says so.
fn guard_again(run: &Run) -> Result<(), Refusal> {
    let Some(before) = run.rolled_back_before() else { return Ok(()) };
    let detail = format!(
        "the same content landed in the run {before} and was rolled back. If it is to land again, an operator says so with `selfext \
         allow {} --by NAME`.",
        run.id()
    );
    Err(Refusal::new(Stage::PromotionGuard, Reason::RolledBackBefore, detail))
}

/// A rollback brings back what was there, whatever its size.
fn guard_size(change: &ChangeSet, rules: &Rules, run: &Run) -> Result<(), Refusal> {
    if run.rollback_of().is_some() { Ok(()) } else { check_limits(change, &rules.limits) }
}

/// Judges the paths of the change, under the names that links of the base give them too.
fn guard_names(change: &ChangeSet, rules: &Rules, links: &BaseLinks, journal: &Journal<'_>) -> Result<(), Refusal> {
    // It touches what the landed change touched, which was let through, and makes it what it was before.
    if journal.run().rollback_of().is_some() {
        return Ok(());
    }
    guard_paths(change.files().keys(), &rules.protected, links, journal.run().allowed_paths()).map(|_| ())
}

/// Every stage of the rules must have run and passed: a report that is missing is no success.
fn judge(rules: &Rules, stages: &[StageReport]) -> Option<Refusal> {
    let fail = |detail: String| Some(Refusal::new(Stage::Verification, Reason::VerificationFailed, detail));
    if let Some(failed) = stages.iter().find(|stage| !stage.result.passed()) {
        return fail(format!("the stage {} {}. Its output is with the event.", failed.name, failed.result));
    }
    let ran: Vec<&str> = stages.iter().map(|stage| stage.name.as_str()).collect();
    match rules.stages.iter().find(|stage| !ran.contains(&stage.name.as_str())) {
        Some(missing) => fail(format!("the stage {} has no report.", missing.name)),
        None => None,
    }
}
