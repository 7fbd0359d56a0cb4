//! By which way a change may land, and what vouches for the commit that a merge queue makes.

use super::branch_rules::MergeQueue;
use super::{BranchRules, GateReading, GateVerdict, evaluate_gate};
use crate::{
    EVIDENCE_CONTEXT, GateRules, MergeQueueRule, MergeWay, PERMIT_CONTEXT, Pin, Reason, Refusal, RequiredContext,
    Rules, Stage,
};

/// The way by which changes land on a base, by the rules file and by what the forge asks of a merge into it.
///
/// A queue lands a commit of its own. Where the rules let selfext use it, that commit must have to carry by itself whatever the
/// rules file requires of a head, because nobody asks selfext again before it lands.
///
/// # Errors
/// [`Reason::MergeQueueRequired`], with what to change.
pub fn merge_way(rules: &Rules, forge: &BranchRules) -> Result<MergeWay, Refusal> {
    match (forge.merge_queue, rules.merge_queue) {
        (None, _) if rules.asynchronous_merge => Ok(MergeWay::Asynchronous),
        (None, _) => Ok(MergeWay::Direct),
        (Some(_), MergeQueueRule::Refuse) => Err(refusal(
            "the base branch takes changes through a merge queue, which would land a commit that nobody verified. Exempt selfext's \
             account from the queue's rule, let selfext promote to another branch, or set merge.merge_queue = \"enqueue\"."
                .to_owned(),
        )),
        (Some(queue), MergeQueueRule::Enqueue { .. }) => {
            obstacle(rules, forge, queue).map_or(Ok(MergeWay::Queue), |what| Err(refusal(what)))
        }
    }
}

fn refusal(detail: String) -> Refusal {
    Refusal::new(Stage::PromotionGate, Reason::MergeQueueRequired, detail)
}

fn obstacle(rules: &Rules, forge: &BranchRules, queue: MergeQueue) -> Option<String> {
    if !queue.each_passes {
        let detail = "the merge queue lands commits whose own checks failed if a later one of their group passed. Set its rule to let only \
                      those merge that are not failing (ALLGREEN).";
        return Some(detail.to_owned());
    }
    if queue.method != Some(rules.merge_method) {
        let method = queue.method.map_or("in a way that is not known", |method| method.as_str());
        let ours = rules.merge_method.as_str();
        return Some(format!("the merge queue merges by {method}, and merge.method is `{ours}`. Make them the same."));
    }
    if forge.required.iter().all(|required| required.context == PERMIT_CONTEXT) {
        let detail = "no rule of the base branch requires a context, so that nothing would vouch for the commit that the merge queue makes. \
                      Require your CI's contexts in the ruleset, and let it run on merge groups.";
        return Some(detail.to_owned());
    }
    let missing =
        rules.gate.required.iter().find(|required| !forge.required.iter().any(|other| covers(other, required)))?;
    Some(format!(
        "gate.required names {}, and no rule of the base branch does, so that the merge queue would not wait for it. Require it in \
         the ruleset too, with the same app if it is pinned to one.",
        missing.context
    ))
}

/// Whether what one of the forge's rules requires of a commit is at least as much.
fn covers(forge: &RequiredContext, ours: &RequiredContext) -> bool {
    forge.context == ours.context && (!matches!(ours.pin, Some(Pin::App(_))) || ours.pin == forge.pin)
}

/// Whether a commit that a queue made, with another tree than the one that was verified, was vouched for: each context that the
/// rules file or the forge requires is green on it. Where the forge requires selfext's own evidence, no other tree is.
#[must_use]
pub fn queue_vouches(rules: &GateRules, forge: &BranchRules, reading: &GateReading) -> bool {
    let united = rules.united(forge);
    let verified_alone = forge.required.iter().any(|required| required.context == EVIDENCE_CONTEXT);
    !verified_alone && !united.required.is_empty() && matches!(evaluate_gate(&united, reading), GateVerdict::Pass(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CommitStatus, MergeMethod, StatusState};

    const STAGE: &str = "[[verification.stage]]\nname = \"t\"\ncommand = [\"true\"]\n";

    fn rules(merge: &str, required: &str) -> Rules {
        let text = format!("version = 1\n[gate]\nrequired = [{required}]\n[merge]\n{merge}\n{STAGE}");
        Rules::parse(&text).unwrap()
    }

    fn context(name: &str, app_id: Option<u64>) -> RequiredContext {
        RequiredContext { context: name.to_owned(), pin: app_id.map(Pin::App) }
    }

    fn behind(queue: Option<MergeQueue>, required: &[RequiredContext]) -> BranchRules {
        BranchRules { merge_queue: queue, required: required.to_vec(), ..BranchRules::default() }
    }

    const QUEUE: MergeQueue = MergeQueue { method: Some(MergeMethod::Squash), each_passes: true };
    const ENQUEUE: &str = "merge_queue = \"enqueue\"";

    #[test]
    fn the_way_is_what_rules_and_forge_allow_together() {
        let ci = [context("ci", Some(7))];
        let way = |rules: &Rules, forge: &BranchRules| {
            merge_way(rules, forge).map_err(|refusal| {
                assert_eq!((refusal.reason, refusal.stage), (Reason::MergeQueueRequired, Stage::PromotionGate));
                refusal.detail
            })
        };
        assert_eq!(way(&rules("", ""), &behind(None, &[])), Ok(MergeWay::Direct));
        assert_eq!(way(&rules(ENQUEUE, ""), &behind(None, &[])), Ok(MergeWay::Direct));
        assert_eq!(way(&rules("asynchronous = true", ""), &behind(None, &[])), Ok(MergeWay::Asynchronous));
        for required in ["", "\"ci\"", "{ context = \"ci\", app_id = 7 }"] {
            assert_eq!(way(&rules(ENQUEUE, required), &behind(Some(QUEUE), &ci)), Ok(MergeWay::Queue), "{required}");
        }
        assert_eq!(
            way(&rules(ENQUEUE, ""), &behind(Some(QUEUE), &[context(EVIDENCE_CONTEXT, None)])),
            Ok(MergeWay::Queue)
        );

        let refused = [
            (rules("", ""), behind(Some(QUEUE), &ci), "merge.merge_queue"),
            (rules(ENQUEUE, ""), behind(Some(MergeQueue { each_passes: false, ..QUEUE }), &ci), "ALLGREEN"),
            (rules(ENQUEUE, ""), behind(Some(MergeQueue { method: None, ..QUEUE }), &ci), "not known"),
            (rules(&format!("method = \"merge\"\n{ENQUEUE}"), ""), behind(Some(QUEUE), &ci), "merge.method is `merge`"),
            (rules(ENQUEUE, ""), behind(Some(QUEUE), &[]), "nothing would vouch"),
            (rules(ENQUEUE, ""), behind(Some(QUEUE), &[context(PERMIT_CONTEXT, None)]), "nothing would vouch"),
            (rules(ENQUEUE, "\"ci\", \"lint\""), behind(Some(QUEUE), &ci), "gate.required names lint"),
            (rules(ENQUEUE, "{ context = \"ci\", app_id = 8 }"), behind(Some(QUEUE), &ci), "gate.required names ci"),
        ];
        for (rules, forge, words) in refused {
            let detail = way(&rules, &forge).unwrap_err();
            assert!(detail.contains(words), "{words}: {detail}");
        }
    }

    #[test]
    fn a_queues_commit_is_vouched_for_by_all_that_is_required_of_it() {
        let reading = |contexts: &[(&str, StatusState)]| GateReading {
            statuses: contexts
                .iter()
                .map(|(context, state)| CommitStatus {
                    id: 1,
                    context: (*context).to_owned(),
                    state: state.clone(),
                    creator: None,
                })
                .collect(),
            check_runs: Vec::new(),
        };
        let both = reading(&[("ci", StatusState::Success), ("lint", StatusState::Success)]);
        let ours = rules(ENQUEUE, "\"lint\"").gate;
        let forge = behind(Some(QUEUE), &[context("ci", None)]);
        assert!(queue_vouches(&ours, &forge, &both));
        for statuses in [
            &[("ci", StatusState::Success)][..],
            &[("ci", StatusState::Success), ("lint", StatusState::Pending)],
            &[("ci", StatusState::Failure), ("lint", StatusState::Success)],
        ] {
            assert!(!queue_vouches(&ours, &forge, &reading(statuses)), "{statuses:?}");
        }
        let nothing = rules(ENQUEUE, "").gate;
        assert!(
            !queue_vouches(&nothing, &behind(Some(QUEUE), &[]), &both),
            "nothing vouches where nothing is required"
        );
        let evidence = [context("ci", None), context(EVIDENCE_CONTEXT, None)];
        assert!(!queue_vouches(&ours, &behind(Some(QUEUE), &evidence), &both), "no other tree has selfext's evidence");
    }
}
