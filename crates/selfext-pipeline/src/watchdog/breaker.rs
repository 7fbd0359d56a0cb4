//! Repeated harm pauses promotion.

use selfext_domain::ports::PauseRequest;
use selfext_domain::{BreakerRules, ControlState, OperatorName};

use super::Watchdog;
use crate::PromoteError;

impl Watchdog {
    /// Pauses promotion if as many rollbacks ended as the rules take, within their time and since the last resume. Answers whether
    /// it did so now. A pause that stands already is left as it is.
    pub(super) async fn trip(&self, breaker: BreakerRules) -> Result<bool, PromoteError> {
        let pipeline = &self.pipeline;
        let config = &pipeline.config;
        // Counted anew, because what was found may have ended rollbacks.
        let standing = pipeline.ports.ledger.health_standing(&config.repository, &config.base, breaker.within).await?;
        if standing.rollbacks < u64::from(breaker.rollbacks) {
            return Ok(false);
        }
        if let Ok(ControlState::Paused(_)) = pipeline.ports.control.read().await {
            return Ok(false);
        }
        let request = PauseRequest {
            event: pipeline.ports.ids.event_id(),
            by: OperatorName::breaker(),
            reason: format!(
                "{} rollbacks into {} ended within {} s, and health.breaker of the rules takes {}",
                standing.rollbacks,
                config.base,
                breaker.within.as_secs(),
                breaker.rollbacks
            ),
            allow_rollbacks: false,
            os_user: None,
        };
        pipeline.ports.control.pause(&request).await?;
        Ok(true)
    }
}
