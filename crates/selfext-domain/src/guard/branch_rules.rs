//! What the forge itself asks of a merge.

use crate::{EVIDENCE_CONTEXT, GateRules, MergeMethod, PERMIT_CONTEXT, Pin, RequiredContext};

/// A queue that lands changes as commits of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MergeQueue {
    /// How it merges; `None` where it is not said, or unknown.
    pub method: Option<MergeMethod>,
    /// Whether each commit that it lands must have passed by itself, and not only the last one of a group.
    pub each_passes: bool,
}

/// What the forge asks of a merge into a branch, by all its own rules together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BranchRules {
    /// The contexts that must be green.
    pub required: Vec<RequiredContext>,
    /// How many approving reviews there must be.
    pub approvals: u32,
    /// The queue through which changes land, if there is one.
    pub merge_queue: Option<MergeQueue>,
    /// The ways of merging that are allowed; `None` if the rules do not say.
    pub methods: Option<Vec<MergeMethod>>,
}

impl GateRules {
    /// These rules and the forge's together: what one of them requires is required. Selfext's own contexts are left to the
    /// forge, which sees that they are set: selfext never waits for its own word. So is the app that the forge pins a context to,
    /// where these rules pin it to an account: the app may set it as a status, and of which app an account is selfext cannot know.
    #[must_use]
    pub fn united(&self, forge: &BranchRules) -> Self {
        let mut united = self.clone();
        for required in &forge.required {
            let own = [EVIDENCE_CONTEXT, PERMIT_CONTEXT].contains(&required.context.as_str());
            let of_creator = matches!(required.pin, Some(Pin::App(_)))
                && self
                    .required
                    .iter()
                    .any(|ours| ours.context == required.context && matches!(ours.pin, Some(Pin::Creator(_))));
            if !own && !of_creator && !united.required.contains(required) {
                united.required.push(required.clone());
            }
        }
        united.approvals = united.approvals.max(forge.approvals);
        united
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Login;

    fn context(name: &str, app_id: Option<u64>) -> RequiredContext {
        RequiredContext { context: name.to_owned(), pin: app_id.map(Pin::App) }
    }

    #[test]
    fn an_app_that_the_forge_names_is_left_to_it_where_the_rules_name_an_account() {
        let creator = Pin::Creator(Login::parse("ci[bot]").unwrap());
        let ours = RequiredContext { context: "a".to_owned(), pin: Some(creator) };
        let rules = GateRules { required: vec![ours.clone()], ..GateRules::default() };
        let forge =
            BranchRules { required: vec![context("a", Some(2)), context("b", Some(2))], ..BranchRules::default() };
        assert_eq!(rules.united(&forge).required, [ours, context("b", Some(2))]);
    }

    #[test]
    fn what_either_requires_is_required() {
        let rules = GateRules {
            required: vec![context("a", None), context("b", Some(1))],
            approvals: 1,
            ..GateRules::default()
        };
        let forge = BranchRules {
            required: vec![
                context("a", None),
                context("b", None),
                context("c", Some(2)),
                context(PERMIT_CONTEXT, None),
            ],
            approvals: 2,
            ..BranchRules::default()
        };
        let united = rules.united(&forge);
        let expected = [context("a", None), context("b", Some(1)), context("b", None), context("c", Some(2))];
        assert_eq!((united.required.as_slice(), united.approvals), (&expected[..], 2));
        assert_eq!(rules.united(&BranchRules::default()), rules);
    }
}
