//! What is in a change's way.

use selfext_domain::RepoPath;
use selfext_domain::ports::VerifierError;

/// What is in the way of one path.
#[derive(Debug)]
pub(crate) struct Obstacle {
    pub(crate) path: RepoPath,
    /// A clause that begins with the path's part in it: `deletes …`, `needs …`.
    pub(crate) clause: String,
}

/// The error that names the first obstacle in full and the paths of all.
pub(super) fn does_not_apply(obstacles: Vec<Obstacle>) -> VerifierError {
    let others = obstacles.len().saturating_sub(1);
    let first = obstacles.first().map_or("it", |obstacle| &obstacle.clause);
    let more = if others == 0 { String::new() } else { format!("; and {others} more") };
    let detail = crate::error::words(&format!("it {first}{more}"));
    VerifierError::DoesNotApply { detail, paths: obstacles.into_iter().map(|obstacle| obstacle.path).collect() }
}
