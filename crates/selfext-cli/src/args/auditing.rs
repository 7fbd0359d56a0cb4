//! What auditors type.
#![expect(clippy::doc_markdown, reason = "these comments are the help's text")]

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use selfext::{PullRequestNumber, RunId};

use super::Target;

pub(super) const SEALED: &str = "\
A seal shows later changes of what it seals to whoever has a copy of it, or of a later one. So hand it on: --to a file on another
machine, --tag a repository that is pushed elsewhere, --pull-request one of a repository. Keep the secret key away from whoever holds the database, agents too:
  selfext seal --new-key example.com/agent --key-file seal.key
The checkpoint is a C2SP signed note, which witnesses can cosign.";

pub(super) const AUDITED: &str = "\
The exit code is that of the gravest finding:
  13  forged: everything fits together, but is not what was sealed, or nothing that selfext writes
  10  edited: a row is not what was written
  11  missing: events are gone
  14  cut off: the ledger ends before its last seal
  12  reordered: a row stands behind one that was written after it
  15  contradicted: the open runs or the promotion control are not what the ledger says
  16  not everything could be judged: events of a later version, or seals over what is missing
Without --key no seal can be judged. A checkpoint that was kept elsewhere (--checkpoint) finds a ledger that was rewritten
together with its own.";

/// Whose signatures count.
#[derive(Args, Debug)]
pub struct PublicKeys {
    /// A public key, or a file of them. May be repeated; witnesses' keys count too.
    #[arg(long = "key", value_name = "KEY|FILE", env = "SELFEXT_SEAL_PUBLIC_KEY")]
    pub keys: Vec<String>,
}

#[derive(Args, Debug)]
#[command(mut_group("place", |place| place.required(false)))]
pub struct Seal {
    /// The file of the secret key. Without it, the variable SELFEXT_SEAL_KEY holds the key itself.
    #[arg(long, value_name = "FILE", env = "SELFEXT_SEAL_KEY_FILE")]
    pub key_file: Option<PathBuf>,
    /// Make a key of this name in --key-file, print its public half, and seal nothing.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["to", "tag", "pull_request", "every"])]
    pub new_key: Option<String>,
    /// Write the signed checkpoint to this file, in the place of what is there.
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
    /// Put each new checkpoint into an annotated tag selfext-seal/EVENTS of this git repository.
    #[arg(long, value_name = "REPOSITORY")]
    pub tag: Option<PathBuf>,
    /// Put the checkpoint on this pull request, as a comment.
    #[arg(long, value_name = "NUMBER", requires = "place")]
    pub pull_request: Option<PullRequestNumber>,
    #[command(flatten)]
    pub target: Target,
    /// Go on sealing, every so many seconds, until interrupted.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub every: Option<u64>,
}

#[derive(Args, Debug)]
pub struct Audit {
    /// Audit this export instead of the database; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub export: Option<PathBuf>,
    #[command(flatten)]
    pub keys: PublicKeys,
    /// A checkpoint that was kept elsewhere. May be repeated.
    #[arg(long = "checkpoint", value_name = "FILE")]
    pub checkpoints: Vec<PathBuf>,
}

#[derive(Args, Debug)]
#[command(group(ArgGroup::new("what").required(true)))]
pub struct Prove {
    /// The run.
    #[arg(group = "what")]
    pub run: Option<RunId>,
    /// An earlier checkpoint: prove that the last one continues it.
    #[arg(long, value_name = "FILE", group = "what")]
    pub since: Option<PathBuf>,
    #[command(flatten)]
    pub keys: PublicKeys,
    /// Where the proof goes; standard output by default.
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
}
