//! How to pause.

use clap::Args;
use selfext::OperatorName;

use super::{Target, said};

pub(super) const PAUSED: &str = "\
It says \"paused; nothing can merge until resume\" only where that is so, and then ends with exit code 0. A merge that began
before is listed, and the exit code is 5: --wait follows it to its end, --fence makes sure that it cannot happen (its pull
request is closed and its run has failed, unless it turns out to have landed).

Promotion is paused before anything else is done: no repository, token or forge that fails can prevent it.";

#[derive(Args, Debug)]
#[command(mut_group("place", |place| place.required(false)))]
pub struct Pause {
    /// Why; shown to everybody who is refused.
    #[arg(long, value_name = "TEXT", value_parser = said)]
    pub reason: String,
    /// Who pauses.
    #[arg(long, value_name = "NAME")]
    pub by: OperatorName,
    /// Let rollbacks merge all the same.
    #[arg(long)]
    pub allow_rollbacks: bool,
    /// Wait until all that may still merge has ended. With a repository, settle there what a crash left open.
    #[arg(long)]
    pub wait: bool,
    /// Make sure that what may still merge in the repository cannot, or has.
    // Without a repository nothing is paused either, as with every command line that is not understood: the words say so at
    // once, and exit code 2 goes on meaning that nothing was done. What only shows later comes after the pause.
    #[arg(long, requires = "place")]
    pub fence: bool,
    #[command(flatten)]
    pub target: Target,
}
