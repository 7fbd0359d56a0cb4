//! The rules of health, of the base as it is now.

use selfext_domain::HealthRules;

use super::Watchdog;

impl Watchdog {
    /// The rules of health of the base's tip, read anew only when that has moved. Where they cannot be read, those that were read
    /// last.
    pub(super) async fn read_health_rules(&self) -> Option<HealthRules> {
        let pipeline = &self.pipeline;
        let Ok(tip) = pipeline.ports.forge.branch_head(&pipeline.config.base).await else {
            return self.known_rules();
        };
        let known = self.with_memory(|memory| memory.rules.clone().filter(|(at, _)| *at == tip));
        if let Some((_, rules)) = known {
            return rules;
        }
        let Ok(rules) = pipeline.read_rules(&tip).await else { return self.known_rules() };
        self.with_memory(|memory| memory.rules = Some((tip, rules.health.clone())));
        rules.health
    }

    pub(super) fn known_rules(&self) -> Option<HealthRules> {
        self.with_memory(|memory| memory.rules.as_ref().and_then(|(_, rules)| rules.clone()))
    }
}
