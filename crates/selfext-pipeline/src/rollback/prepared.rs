//! What is prepared for a human where a rollback conflicts with what others changed.

use std::fmt::Write as _;

use selfext_domain::ports::{ForgeError, Publication};
use selfext_domain::{
    BranchName, ChangeSet, CommitMeta, FileChange, Inverse, InverseConflict, Reason, Refusal, RepoPath, RunId, Stage,
    commit_message, inline, pull_request_title,
};

use super::{Made, RollbackOutcome, change, rollback_of};
use crate::journal::{Journal, Stop};
use crate::{Observer, Pipeline, PromoteError, Step};

impl Pipeline {
    /// Ends a rollback that needs somebody's judgement: records which paths conflict, and where what could be restored is
    /// prepared; then prepares it. Nothing of selfext's ever merges that pull request.
    pub(super) async fn give_to_a_human(
        &self,
        target: &mut Journal<'_>,
        made: &Made,
        observer: &dyn Observer,
    ) -> Result<RollbackOutcome, Stop> {
        let paths: Vec<RepoPath> = made.inverse.conflicts.iter().map(|conflict| conflict.path.clone()).collect();
        let branch = match change_for_a_human(target, &made.inverse)? {
            Some(_) => Some(prepared_branch(&rollback_of(target.run())?)?),
            None => None,
        };
        let mut detail = String::from("what it would restore was changed by others since");
        for InverseConflict { path, detail: what, .. } in made.inverse.conflicts.iter().take(10) {
            let _ = write!(detail, "; {path}: {what}");
        }
        if let Some(branch) = &branch {
            let _ = write!(detail, ". What could be restored is on the branch {branch}, with a pull request");
        }
        let run = target.run().id().clone();
        let _ = write!(
            detail,
            ". Take the change back by hand, then free promotion with `selfext acknowledge {run} --by NAME`."
        );
        let refusal = Refusal::new(Stage::Rollback, Reason::RollbackConflict, detail).with_paths(paths);
        let outcome = self.not_taken_back(target, refusal, branch.clone()).await?;
        if branch.is_some() {
            self.prepare_for_a_human(target, observer).await;
        }
        Ok(outcome)
    }

    /// Makes the pull request that a failed rollback announced, unless it is there. What stands in the way is told; it is tried again
    /// whenever the run is looked at.
    pub(crate) async fn prepare_for_a_human(&self, target: &Journal<'_>, observer: &dyn Observer) {
        if let Err(detail) = self.try_to_prepare(target).await {
            let detail = format!("the pull request for a human could not be made: {detail}");
            observer.on(&Step::CleanupFailed { detail });
        }
    }

    async fn try_to_prepare(&self, target: &Journal<'_>) -> Result<(), String> {
        let told = |error: &ForgeError| selfext_domain::error_chain(error);
        let Some(branch) = target.run().prepared().cloned() else { return Ok(()) };
        let forge = &self.ports.forge;
        if forge.find_pull_request(&branch, &self.config.base).await.map_err(|error| told(&error))?.is_some() {
            return Ok(());
        }
        let made = self.make(target.run()).await.map_err(|_| "the run was written to meanwhile".to_owned())?;
        let made = made.map_err(|refusal| refusal.to_string())?;
        let change = change_for_a_human(target, &made.inverse).map_err(|error| selfext_domain::error_chain(&error))?;
        let (Some(change), Some(rollback_run)) = (change, target.run().rollback().cloned()) else { return Ok(()) };
        let candidate = self.ports.verifier.prepare(&self.config.base, &made.base, &change).await;
        let candidate = candidate.map_err(|error| selfext_domain::error_chain(&error))?;
        let meta = CommitMeta {
            schema: CommitMeta::SCHEMA,
            run_id: rollback_run,
            tested: target.run().last_event(),
            base: made.base.clone(),
            fingerprint: change.fingerprint(),
            context: change.context().clone(),
        };
        let publication = Publication {
            candidate,
            branch,
            base: self.config.base.clone(),
            commit_message: commit_message(&change, &meta).map_err(|error| error.to_string())?,
            title: pull_request_title(&change),
            body: body(target, &made.inverse),
            fresh: true,
        };
        forge.publish(&publication).await.map_err(|error| told(&error))?;
        Ok(())
    }
}

/// What could be restored, and the conflicting files with both sides marked in them; `None` if that is nothing.
fn change_for_a_human(target: &Journal<'_>, inverse: &Inverse) -> Result<Option<ChangeSet>, PromoteError> {
    let mut all = Inverse { files: inverse.files.clone(), conflicts: Vec::new() };
    for conflict in &inverse.conflicts {
        if let Some(marked) = &conflict.marked {
            let write = FileChange::Write { content: marked.clone(), executable: None };
            all.files.insert(conflict.path.clone(), write);
        }
    }
    if all.files.is_empty() { Ok(None) } else { change::of(target.run(), &all).map(Some) }
}

fn prepared_branch(rollback_run: &RunId) -> Result<BranchName, PromoteError> {
    // A run id may be longer than what a branch takes, and hold what it does not.
    let digest = selfext_domain::Digest32::of(rollback_run.as_str().as_bytes()).to_string();
    BranchName::parse(format!("selfext/rollback/by-hand-{}", &digest[..16])).map_err(PromoteError::Branch)
}

fn body(target: &Journal<'_>, inverse: &Inverse) -> String {
    let run = target.run();
    let mut body = format!(
        "This is what could be restored of what the run {} changed. **It is not finished**: the files below were changed by others \
         since, and need somebody's judgement. selfext does not merge this pull request.\n\n### Conflicts\n\n",
        inline(run.id().as_str())
    );
    for conflict in &inverse.conflicts {
        let marked = if conflict.marked.is_some() { ", marked in the file" } else { ", left as it is" };
        let _ = writeln!(body, "- {} ({}{marked})", inline(conflict.path.as_str()), inline(&conflict.detail));
    }
    let _ = writeln!(
        body,
        "\nWhen the base is as it should be, `selfext acknowledge {} --by NAME` frees promotion.",
        run.id()
    );
    body
}
