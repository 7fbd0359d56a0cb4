//! What a rollback would do.

use selfext_domain::{CommitSha, Inverse, Refusal, Rules, RunId};

use super::landed;
use crate::journal::Stop;
use crate::{Pipeline, PromoteError};

/// What taking a run back would do now, and what it would have to pass.
#[derive(Clone, Debug)]
pub struct RollbackPlan {
    /// The run.
    pub run: RunId,
    /// The commit as which it landed.
    pub landed: CommitSha,
    /// The tip of the base branch that this is made for.
    pub base: CommitSha,
    /// What would be restored, and what conflicts.
    pub inverse: Inverse,
    /// The rules of that tip: the stages and contexts that the rollback has to pass.
    pub rules: Rules,
}

impl Pipeline {
    /// What taking a run back would do now. Writes nothing, neither to the ledger nor to the forge. May be repeated.
    ///
    /// # Errors
    /// As [`Pipeline::roll_back`]. The inner error is a refusal: what would be needed for it cannot be read now.
    pub async fn plan_rollback(&self, run: &RunId) -> Result<Result<RollbackPlan, Refusal>, PromoteError> {
        let target = self.open_landed(run).await?;
        let plan = async {
            let made = match self.make(target.run()).await? {
                Ok(made) => made,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let rules = match self.read_rules(&made.base).await {
                Ok(rules) => rules,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let landed = landed(target.run())?.commit.clone();
            Ok(Ok(RollbackPlan { run: run.clone(), landed, base: made.base, inverse: made.inverse, rules }))
        };
        plan.await.map_err(|stop| match stop {
            Stop::Error(error) => error,
            Stop::Overtaken | Stop::Again | Stop::Ended(_) => PromoteError::Contended(run.clone()),
        })
    }
}
