//! How the merge of a permit ended, as the ledger tells it.

use selfext_domain::ports::LedgerError;
use selfext_domain::{CommitSha, EventBody, OperatorName, PermitTerms, RecordedEvent, Refusal};

/// How the merge of a permit ended. From then on nothing merges under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MergeEnd {
    /// The change is on the base branch.
    Landed {
        /// The commit there.
        commit: CommitSha,
        /// Whether it holds exactly the verified tree. If not, promotion has paused itself, unless a merge queue's checks vouch for it.
        tree_matches: bool,
        /// Whether it is another tree that a merge queue made, on which everything that is required was green.
        checked_in_queue: bool,
    },
    /// It did not merge, and cannot any more under this permit.
    NotMerged(Refusal),
    /// An operator ended the run, and its merge was fenced off before.
    Abandoned {
        /// The name that was given.
        by: OperatorName,
    },
}

impl MergeEnd {
    /// Looks for it behind the permit in all the events of the permit's run. Whoever takes the merge over, and a fence that is
    /// not finished, leave it open.
    pub(crate) fn find(permit: &PermitTerms, events: &[RecordedEvent]) -> Result<Option<Self>, LedgerError> {
        let granted = events.iter().position(|recorded| recorded.event.id == permit.id);
        let granted = granted.ok_or_else(|| LedgerError::Corrupt {
            detail: format!("the merge permit {} of the run {} is not in it any more", permit.id, permit.run),
        })?;
        Ok(events[granted..].iter().find_map(|recorded| Self::of(&recorded.event.body)))
    }

    fn of(body: &EventBody) -> Option<Self> {
        match body {
            EventBody::Promoted(promoted) => Some(Self::Landed {
                commit: promoted.commit.clone(),
                tree_matches: promoted.tree_matches,
                checked_in_queue: promoted.checked_in_queue,
            }),
            EventBody::PromotionBlocked(blocked) => Some(Self::NotMerged(blocked.refusal.clone())),
            EventBody::Failed(failed) => Some(Self::NotMerged(failed.refusal.clone())),
            EventBody::RunAbandoned(abandoned) => Some(Self::Abandoned { by: abandoned.by.clone() }),
            _ => None,
        }
    }
}
