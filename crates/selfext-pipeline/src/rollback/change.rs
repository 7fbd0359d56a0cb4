//! The change set of a rollback.

use std::fmt::Write as _;

use selfext_domain::{ActorSource, ChangeSet, Inverse, Run};

use crate::PromoteError;

/// What takes the change of `target` back, as a change set. The same run and inverse give the same change set.
pub(super) fn of(target: &Run, inverse: &Inverse) -> Result<ChangeSet, PromoteError> {
    let mut context = target.context().clone();
    context.actor_source = Some(ActorSource::selfext());
    let mut builder = ChangeSet::builder(message(target), context);
    for (path, change) in &inverse.files {
        builder = builder.file(path.clone(), change.clone());
    }
    Ok(builder.build()?)
}

/// What people read: which change is taken back, by its title, run, pull request and commit.
fn message(target: &Run) -> String {
    let title = target.tested().map_or("a change", |tested| tested.title.as_str());
    let mut message = format!("Take back: {title}\n\nThis takes back what the run {} brought", target.id());
    if let Some(number) = target.pull_request() {
        let _ = write!(message, " with pull request {number}");
    }
    if let Some(promoted) = target.promoted() {
        let _ = write!(message, " as {}", promoted.commit);
    }
    message.push_str(". What others changed since is kept.");
    message
}
