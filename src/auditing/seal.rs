//! Sealing: a signed root over all events so far.

use std::time::Duration;

use selfext_audit::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
use selfext_audit::event_leaf;
use selfext_audit::merkle::TreeFrontier;
use selfext_audit::note::SignerKey;
use selfext_domain::ports::{ForgeError, LedgerError, LedgerRow, StoredCheckpoint};
use selfext_domain::{Digest32, Link, Position, PullRequestNumber};

use super::rows::Rows;
use crate::{Operations, Selfext};

/// A checkpoint of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The signed note, to be kept where nobody who holds the database can reach it.
    pub note: String,
    /// Whether it is new: there may have been nothing to seal since the last one.
    pub is_new: bool,
}

/// Why the ledger was not sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// It holds no event that can be sealed yet.
    #[error("there is nothing to seal yet")]
    Nothing,
    /// The last checkpoint is not one of this key's.
    #[error("the last checkpoint is not signed by this key; seal with the key of that one")]
    OtherKey(#[source] CheckpointError),
    /// What is stored contradicts itself, so that a seal would bless it.
    #[error("the ledger would not pass an audit, so it is not sealed: {0}")]
    Broken(String),
    /// The ledger cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Operations {
    /// Seals the ledger: all events before which nothing can appear any more get a signed root, stored as a checkpoint. Goes on
    /// from the last checkpoint, so it costs what was written since. May be repeated: where nothing was, the answer is the
    /// last checkpoint.
    ///
    /// A seal shows later changes to whoever kept it, or has a copy of a later one: whoever holds the database could rewrite
    /// its own. So hand the note on.
    ///
    /// # Errors
    /// [`SealError`].
    pub async fn seal(&self, key: &SignerKey) -> Result<Sealed, SealError> {
        let archive = self.archive();
        loop {
            let last = archive.last_checkpoint().await?;
            let (mut tree, mut position) = match &last {
                None => (TreeFrontier::new(), Position::START),
                Some(last) => (continued(last, key)?, last.position),
            };
            let after = tree.size();
            let mut rows = Rows::after(archive.clone(), position);
            loop {
                let page = rows.page().await?;
                let Some(end) = page.last_position() else { break };
                position = end;
                for row in &page {
                    tree.push(event_leaf(whole(&row)?));
                }
            }
            if tree.size() == after {
                let last = last.ok_or(SealError::Nothing)?;
                let opened = SignedCheckpoint::open(&last.note, &[key.verifier().clone()]);
                let checkpoint = opened.map_err(SealError::OtherKey)?.checkpoint().clone();
                return Ok(Sealed { checkpoint, note: last.note, is_new: false });
            }
            let checkpoint = Checkpoint::new(key.name().clone(), tree.size(), tree.root(), Some(position));
            let note = checkpoint.sign(key).map_err(SealError::OtherKey)?.to_string();
            let stored =
                StoredCheckpoint { size: tree.size(), position, frontier: tree.to_string(), note: note.clone() };
            if archive.add_checkpoint(&stored, after).await? {
                return Ok(Sealed { checkpoint, note, is_new: true });
            }
            // Somebody else sealed meanwhile: go on from there.
        }
    }

    /// Seals again and again, until it is dropped; `told` hears of each, and is waited for. The first time at once.
    pub async fn keep_sealing(
        &self,
        key: &SignerKey,
        every: Duration,
        mut told: impl AsyncFnMut(Result<Sealed, SealError>),
    ) -> std::convert::Infallible {
        let mut ticks = tokio::time::interval(every.max(Duration::from_secs(1)));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            told(self.seal(key).await).await;
        }
    }
}

impl Selfext {
    /// Puts a checkpoint on a pull request of the repository, as a comment, where whoever holds the database cannot take it back. May
    /// be repeated: it is there once.
    ///
    /// # Errors
    /// [`ForgeError`] if it is not certain that it is there.
    pub async fn post_seal(&self, pull_request: PullRequestNumber, sealed: &Sealed) -> Result<(), ForgeError> {
        self.forge.comment(pull_request, &as_markdown(sealed)).await
    }
}

/// Each line of the note behind four spaces, which nothing in it can end; without them it is the note again.
fn as_markdown(sealed: &Sealed) -> String {
    let note = sealed.note.trim_end().replace('\n', "\n    ");
    format!(
        "The first {} events of selfext's ledger are sealed. For `selfext audit --checkpoint`:\n\n    {note}\n",
        sealed.checkpoint.size
    )
}

/// The tree that a checkpoint seals, to go on from. It is believed only as far as the key signed it.
fn continued(last: &StoredCheckpoint, key: &SignerKey) -> Result<TreeFrontier, SealError> {
    let opened = SignedCheckpoint::open(&last.note, &[key.verifier().clone()]).map_err(SealError::OtherKey)?;
    let broken = |what: &str| SealError::Broken(format!("the checkpoint of {} events {what}", last.size));
    let tree: TreeFrontier = last.frontier.parse().map_err(|_| broken("has no frontier that can be read"))?;
    let Checkpoint { size, root, position, .. } = opened.checkpoint();
    if (tree.size(), tree.root(), Some(last.position)) != (*size, *root, *position) {
        return Err(broken("is not what was signed"));
    }
    Ok(tree)
}

/// The hash of a row whose bytes are those that were hashed.
fn whole(row: &LedgerRow<'_>) -> Result<Digest32, SealError> {
    let prev = <[u8; 32]>::try_from(row.prev_hash).ok().map(Digest32::from_bytes);
    let link = prev.map(|prev| Link::new(prev, row.content.as_bytes()));
    match link {
        Some(link)
            if link.hash.as_bytes()[..] == *row.hash && link.content_hash.as_bytes()[..] == *row.content_hash =>
        {
            Ok(link.hash)
        }
        _ => Err(SealError::Broken(format!(
            "event {}, number {} of {}, was changed",
            row.derived.event_id, row.sequence, row.derived.run_id
        ))),
    }
}
