//! The guard over reviews.

use std::collections::BTreeMap;

use crate::{CommitSha, TeamName};

/// What a review says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReviewState {
    /// It lets the change through.
    Approved,
    /// It wants another change.
    ChangesRequested,
    /// It was taken back.
    Dismissed,
    /// It says neither, or is not finished.
    Other,
}

/// A review of a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Who gave it.
    pub reviewer: String,
    /// What it says.
    pub state: ReviewState,
    /// The commit that was reviewed.
    pub commit: Option<CommitSha>,
    /// Whether it is of a person who may write to the repository and did not make the pull request.
    pub counts: bool,
}

/// What the reviews of a pull request come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReviewVerdict {
    /// There are enough approvals.
    Enough,
    /// There are fewer than are needed.
    Missing {
        /// How many there are.
        have: u32,
        /// How many are needed.
        need: u32,
    },
    /// Somebody wants another change.
    ChangesRequested {
        /// Who.
        by: String,
    },
}

/// Judges reviews, which are in the order in which they were given. A person's last word counts, and an approval counts for the
/// commit that was reviewed alone.
#[must_use]
pub fn evaluate_reviews(need: u32, head: &CommitSha, reviews: &[Review]) -> ReviewVerdict {
    if need == 0 {
        return ReviewVerdict::Enough;
    }
    if let Some((by, _)) = last_words(reviews).iter().find(|(_, review)| review.state == ReviewState::ChangesRequested)
    {
        return ReviewVerdict::ChangesRequested { by: (*by).to_owned() };
    }
    let have = u32::try_from(approvers(head, reviews).len()).unwrap_or(u32::MAX);
    if have >= need { ReviewVerdict::Enough } else { ReviewVerdict::Missing { have, need } }
}

/// Who approves the head, each once: the same people as [`evaluate_reviews`] counts.
#[must_use]
pub fn approvers<'a>(head: &CommitSha, reviews: &'a [Review]) -> Vec<&'a str> {
    let last = last_words(reviews).into_iter();
    let approving =
        last.filter(|(_, review)| review.state == ReviewState::Approved && review.commit.as_ref() == Some(head));
    approving.map(|(by, _)| by).collect()
}

/// The teams of which nobody is among the approvers. `members` is what the forge says of each team: who of the approvers is in it.
/// A team that it says nothing of is missing. Logins are told apart without regard to case.
#[must_use]
pub fn missing_teams(
    teams: &[TeamName],
    approvers: &[&str],
    members: &BTreeMap<TeamName, Vec<String>>,
) -> Vec<TeamName> {
    let approves = |member: &String| approvers.iter().any(|approver| approver.eq_ignore_ascii_case(member));
    let missing = |team: &&TeamName| !members.get(*team).is_some_and(|members| members.iter().any(approves));
    teams.iter().filter(missing).cloned().collect()
}

/// The last word of each person whose word counts.
fn last_words(reviews: &[Review]) -> BTreeMap<&str, &Review> {
    let mut last = BTreeMap::new();
    for review in reviews.iter().filter(|review| review.counts && review.state != ReviewState::Other) {
        last.insert(review.reviewer.as_str(), review);
    }
    last
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn commit(digit: char) -> CommitSha {
        CommitSha::parse(digit.to_string().repeat(40)).unwrap()
    }

    fn review(reviewer: &str, state: ReviewState, digit: char, counts: bool) -> Review {
        Review { reviewer: reviewer.to_owned(), state, commit: Some(commit(digit)), counts }
    }

    #[test]
    fn an_approval_counts_for_the_reviewed_commit_and_from_who_may_give_it() {
        use ReviewState::{Approved, ChangesRequested, Dismissed, Other};
        let missing = |have| ReviewVerdict::Missing { have, need: 2 };
        let first = review("a", Approved, '1', true);
        for (second, expected) in [
            (review("b", Approved, '1', true), ReviewVerdict::Enough),
            (review("a", Approved, '1', true), missing(1)),
            (review("b", Approved, '2', true), missing(1)),
            (review("b", Approved, '1', false), missing(1)),
            (review("b", ChangesRequested, '1', false), missing(1)),
            (review("b", ChangesRequested, '2', true), ReviewVerdict::ChangesRequested { by: "b".into() }),
            (review("a", Dismissed, '1', true), missing(0)),
            (review("a", Other, '1', true), missing(1)),
        ] {
            assert_eq!(evaluate_reviews(2, &commit('1'), &[first.clone(), second.clone()]), expected, "{second:?}");
        }
        assert_eq!(
            evaluate_reviews(0, &commit('1'), &[review("b", ChangesRequested, '1', true)]),
            ReviewVerdict::Enough
        );
    }

    #[test]
    fn a_team_is_missing_unless_one_of_its_members_approves_this_commit() {
        use ReviewState::{Approved, ChangesRequested};
        let team = |name: &str| TeamName::parse(name).unwrap();
        let teams = [team("o/security"), team("o/web")];
        let members: BTreeMap<_, _> = [(team("o/security"), vec!["Ann".to_owned()])].into();
        for (given, missing) in [
            (vec![review("ann", Approved, '1', true)], &teams[1..]),
            (vec![review("bob", Approved, '1', true)], &teams[..]),
            (vec![review("ann", Approved, '2', true)], &teams[..]),
            (vec![review("ann", Approved, '1', false)], &teams[..]),
            (vec![review("ann", Approved, '1', true), review("ann", ChangesRequested, '1', true)], &teams[..]),
            (vec![], &teams[..]),
        ] {
            assert_eq!(missing_teams(&teams, &approvers(&commit('1'), &given), &members), missing, "{given:?}");
        }
        assert_eq!(missing_teams(&[], &[], &members), []);
    }

    proptest! {
        #[test]
        fn nobody_is_counted_twice_or_for_another_commit(
            given in proptest::collection::vec(("[a-c]", 0u8..4, any::<bool>(), any::<bool>()), 0..12),
            need in 1u32..4,
        ) {
            let reviews: Vec<Review> = given
                .iter()
                .map(|(who, state, same, counts)| {
                    let state = [ReviewState::Approved, ReviewState::ChangesRequested, ReviewState::Dismissed, ReviewState::Other]
                        [usize::from(*state)].clone();
                    review(who, state, if *same { '1' } else { '2' }, *counts)
                })
                .collect();
            let may_have = given.iter().filter(|(_, state, same, counts)| *state == 0 && *same && *counts);
            let most = may_have.map(|(who, ..)| who).collect::<std::collections::BTreeSet<_>>().len();
            if evaluate_reviews(need, &commit('1'), &reviews) == ReviewVerdict::Enough {
                prop_assert!(most >= need as usize);
            }
        }
    }
}
