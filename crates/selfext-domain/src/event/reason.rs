//! Why a run was refused or failed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whether a refusal ends its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// The run stays open; promoting the same change set again takes it up where it stopped.
    MayResume,
    /// The run is over; the same content may start a new one.
    Ends,
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal, $disposition:ident;)+) => {
        /// Why a run was refused or failed: a kebab-case word that a program can match on. `docs/reasons.md` is this list.
        ///
        /// Each reason either ends its run ([`Disposition::Ends`]) or leaves it open to be taken up again
        /// ([`Disposition::MayResume`]).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Reason {
            $($(#[doc = $doc])+ #[serde(rename = $word)] $name,)+
        }

        impl Reason {
            /// Every reason, in the order of the docs.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word in the ledger.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// What it means, in a sentence or two.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+),)+ }
            }

            /// Whether it ends the run.
            #[must_use]
            pub const fn disposition(self) -> Disposition {
                match self { $(Self::$name => Disposition::$disposition,)+ }
            }
        }
    };
}

reasons! {
    /// The operator paused promotion. Taken up after `resume`.
    PromotionPaused = "promotion-paused", MayResume;
    /// The control row could not be read.
    ControlUnreadable = "control-unreadable", MayResume;
    /// There is no control row.
    ControlMissing = "control-missing", MayResume;
    /// The control row is not what this version understands.
    ControlMalformed = "control-malformed", MayResume;
    /// The change touches a protected path. Taken up when an operator allows it.
    ProtectedPath = "protected-path", MayResume;
    /// The change is larger than the rules allow.
    LimitExceeded = "limit-exceeded", Ends;
    /// The base commit has no rules file. Taken up when one is on the base.
    RulesMissing = "rules-missing", MayResume;
    /// The rules file on the base cannot be understood. Taken up when it is mended there.
    RulesInvalid = "rules-invalid", MayResume;
    /// The change does not apply to the base: it deletes what is not there, needs a folder where a file is, or its names clash or lie too deep.
    DoesNotApply = "does-not-apply", Ends;
    /// The base already holds exactly this content.
    NothingToChange = "nothing-to-change", Ends;
    /// A stage of the verification failed.
    VerificationFailed = "verification-failed", Ends;
    /// The verification could not be carried out, through no fault of the change.
    VerificationUnavailable = "verification-unavailable", MayResume;
    /// A required context failed, or any context on the head is red.
    StatusGate = "status-gate", MayResume;
    /// Required contexts were still missing or pending at the time limit.
    ChecksPending = "checks-pending", MayResume;
    /// The base moved, again and again, faster than the change could be verified on it.
    BaseMoved = "base-moved", MayResume;
    /// A path of the change was changed on the base since the run first verified it; landing it would undo that.
    BaseConflict = "base-conflict", Ends;
    /// The branch or the pull request's head is not the commit that selfext put there.
    HeadMoved = "head-moved", Ends;
    /// The forge made another tree from the change than the one that was tested.
    PublishedTreeDiffers = "published-tree-differs", Ends;
    /// Somebody closed the pull request.
    PullRequestClosed = "pull-request-closed", Ends;
    /// Somebody merged the pull request, or the same head, past selfext.
    MergedElsewhere = "merged-elsewhere", Ends;
    /// The head has fewer approvals than the rules ask for, by the time limit.
    ReviewMissing = "review-missing", MayResume;
    /// A reviewer wants another change.
    ChangesRequested = "changes-requested", MayResume;
    /// The pull request is a draft.
    PullRequestDraft = "pull-request-draft", MayResume;
    /// The pull request cannot be merged into its base as it stands.
    MergeConflict = "merge-conflict", MayResume;
    /// The forge did not work out whether the pull request conflicts with its base.
    MergeabilityUnknown = "mergeability-unknown", MayResume;
    /// The forge's own rules for the base forbid the merge as the pull request stands.
    BlockedByProtection = "blocked-by-protection", MayResume;
    /// The base takes changes through a merge queue, and the rules do not let selfext use it, or not as it is set up.
    MergeQueueRequired = "merge-queue-required", MayResume;
    /// The forge's merge queue threw the pull request out, or somebody took it out.
    MergeQueueLeft = "merge-queue-left", MayResume;
    /// The forge refused the merge for good.
    MergeRefused = "merge-refused", MayResume;
    /// The forge refused the merge for now, more often than the limit of tries.
    MergeNotYet = "merge-not-yet", MayResume;
    /// Whether the merge happened is not known yet.
    MergeInDoubt = "merge-in-doubt", MayResume;
    /// Another merge into the same base, or of the same pull request, is under way.
    MergeInFlight = "merge-in-flight", MayResume;
    /// A merge that might still have arrived was fenced off.
    MergeFenced = "merge-fenced", Ends;
    /// What landed is not what was tested; promotion pauses itself.
    MergedTreeDiffers = "merged-tree-differs", Ends;
    /// The forge did not answer, or not in a way that can be understood.
    ForgeUnavailable = "forge-unavailable", MayResume;
    /// The forge refused a request: missing rights, a missing repository, an invalid value.
    ForgeRefused = "forge-refused", MayResume;
    /// The forge asked to wait longer than this run may.
    RateLimited = "rate-limited", MayResume;
    /// The database's history is not the one that an operator accepted.
    HistoryChanged = "history-changed", MayResume;
    /// An earlier promotion has yet to prove itself.
    HealthWindowOpen = "health-window-open", MayResume;
    /// A rollback is under way.
    RollbackInProgress = "rollback-in-progress", MayResume;
    /// A rollback failed and no operator has acknowledged it.
    RollbackUnacknowledged = "rollback-unacknowledged", MayResume;
    /// The same content was rolled back before.
    RolledBackBefore = "rolled-back-before", MayResume;
    /// The promoted change turned out sick.
    Unhealthy = "unhealthy", Ends;
    /// What the rollback would restore was changed by others since.
    RollbackConflict = "rollback-conflict", Ends;
    /// An operator ended the rollback before it landed.
    RollbackAbandoned = "rollback-abandoned", Ends;
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn the_docs_list_every_reason_as_it_is() {
        let mut table = String::from("| reason | the run | meaning |\n| --- | --- | --- |\n");
        for reason in Reason::ALL {
            let run = match reason.disposition() {
                Disposition::MayResume => "stays open",
                Disposition::Ends => "is over",
            };
            writeln!(table, "| `{reason}` | {run} | {} |", reason.meaning().trim()).unwrap();
        }
        let docs = include_str!("../../../../docs/reasons.md");
        assert!(docs.ends_with(&table), "docs/reasons.md must end with\n{table}");
    }

    #[test]
    fn reasons_are_distinct_kebab_case_words_and_serialise_as_such() {
        let words: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
        assert_eq!(words.len(), Reason::ALL.len());
        for reason in Reason::ALL {
            let word = reason.as_str();
            assert!(
                word.split('-').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase())),
                "{word}"
            );
            assert_eq!(serde_json::to_string(reason).unwrap(), format!("\"{word}\""));
        }
    }
}
