//! Checks that appear when a pull request has a new head.

use crate::control::NewHead;
use crate::state::State;
use crate::world::World;

impl World {
    /// Plays the rule for new heads on a pull request.
    pub(crate) fn announce_head(&self, state: &mut State, number: u64) {
        let (Some(rule), Some(pull)) = (self.knobs.on_new_head(), state.pulls.get(&number)) else {
            return;
        };
        let sha = pull.head_sha;
        let checks = rule(&NewHead {
            number,
            title: pull.title.clone(),
            branch: pull.head.clone(),
            base: pull.base.clone(),
            sha: sha.to_string(),
        });
        for check in checks {
            state.set_check(sha, check);
        }
    }
}
