//! What a ledger may hold from before its schema knew of watched runs, for tests of its migration.

use std::sync::Arc;
use std::time::Duration;

use selfext_domain::ports::{Archive, Ledger};
use selfext_domain::{CommitSha, Event, RunId};

use super::landed::commit_of;
use super::story::Story;

/// One run, each in a branch of its own, and how its branch stands.
#[derive(Clone, Debug)]
pub struct EarlierLife {
    /// The run.
    pub story: Story,
    /// Its events, in order.
    pub events: Vec<Event>,
    watched: bool,
    baseline: Option<CommitSha>,
}

/// Runs that ended in every way.
///
/// # Panics
/// Never: the values in it are legal.
#[must_use]
pub fn earlier_lives() -> Vec<EarlierLife> {
    let by = RunId::parse("back").expect("a run id");
    let life = |name: &str, watched, baseline: Option<char>, ends: &dyn Fn(&Story) -> Vec<Event>| {
        let story = Story::new(&format!("run {name}")).into_base(name);
        let mut events = vec![story.proposed(), story.tested(), story.merge_started()];
        events.extend(ends(&story));
        EarlierLife { story, events, watched, baseline: baseline.map(commit_of) }
    };
    vec![
        life("merging", false, None, &|_| vec![]),
        life("failed", false, None, &|s| vec![s.failed()]),
        life("windowless", false, None, &|s| vec![s.promoted()]),
        life("open", true, Some('a'), &|s| vec![s.promoted_with_window()]),
        life("healthy", false, Some('1'), &|s| vec![s.promoted_with_window(), s.passed('1')]),
        life("sick", true, Some('a'), &|s| vec![s.promoted_with_window(), s.sick()]),
        life("rolling", true, None, &|s| vec![s.promoted(), s.rollback_started(&by)]),
        life("done", false, Some('2'), &|s| {
            vec![s.promoted_with_window(), s.passed('2'), s.rollback_started(&by), s.rolled_back(&by)]
        }),
        life("stuck", true, None, &|s| vec![s.promoted(), s.rollback_started(&by), s.rollback_failed(&by)]),
        life("known", false, None, &|s| {
            vec![s.promoted(), s.rollback_started(&by), s.rollback_failed(&by), s.acknowledged()]
        }),
    ]
}

/// Finds that a ledger which holds these lives tells of each branch how it stands.
///
/// # Panics
/// If it does not.
pub async fn stand_as_they_ended(lives: &[EarlierLife], ledger: &Arc<dyn Ledger>, archive: &Arc<dyn Archive>) {
    for EarlierLife { story, watched, baseline, .. } in lives {
        let day = Duration::from_hours(24);
        let standing = ledger.health_standing(&story.subject.repository, &story.subject.base, day).await;
        let standing = standing.expect("the ledger tells how it stands");
        let expected: Vec<_> = watched.then(|| story.run.clone()).into_iter().collect();
        assert_eq!((&standing.watched, &standing.baseline), (&expected, baseline), "{}", story.run);
    }
    let contradictions = archive.contradictions().await.expect("the archive looks");
    assert_eq!(contradictions, Vec::<String>::new());
}
